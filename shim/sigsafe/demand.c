/* SPDX-License-Identifier: MIT */
/* Sending a demand, and knowing one. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sigsafe/demand.h"
#include "sigsafe/family.h"
#include "sigsafe/life.h"
#include "sigsafe/real.h"
#include "sigsafe/sigdisp.h"

static const char own; /* its address marks a demand in a process without a family */

/* A child of the owner may have sent it: the family's cookie is the same in both. */
static const void *mark(void)
{
    return family_self() ? (const void *)(uintptr_t)(family->cookie ^ 1) : &own;
}

bool demand_is(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && info->si_value.sival_ptr == mark();
}

static bool is_ignored(int signo)
{
    struct sigaction action;

    sigdisp_current(signo, &action);
    return action.sa_handler == SIG_IGN;
}

/* SIGTERM, or else the first one that the program doesn't ignore. 0: none. */
static int choose(void)
{
    uint64_t managed = atomic_load(&life->managed) & ~sigdisp_bit(SIGPIPE); /* hold_sigpipe() */
    int first = 0;

    for (int signo = 64; signo >= 1; signo--) {
        if ((managed & sigdisp_bit(signo)) && !is_ignored(signo)) {
            first = signo;
        }
    }
    return (managed & sigdisp_bit(SIGTERM)) && !is_ignored(SIGTERM) ? SIGTERM : first;
}

static pid_t receiver(void)
{
    pid_t parent = getppid();

    return !family_is_owner() && family_owner_is(parent) ? parent : life->pid;
}

int demand_send(void)
{
    int signo = life_armed() ? choose() : 0;
    siginfo_t info;

    if (signo == 0) {
        return -ENOTCONN;
    }
    if (life_draining() || family_phase() != FAMILY_RUNNING) {
        return -EALREADY;
    }
    memset(&info, 0, sizeof(info));
    info.si_signo = signo;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)mark();
    return real.syscall(SYS_rt_sigqueueinfo, receiver(), signo, (long)&info, 0, 0, 0) == 0 ? 0
                                                                                           : -errno;
}
