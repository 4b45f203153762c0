/* SPDX-License-Identifier: MIT */
/* Choosing, sending and taking the family's own signal. */
/* Context: AS-Safe, MT-Safe, never blocks; tell_install() is for arming only. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/hold.h"
#include "sigsafe/life.h"
#include "sigsafe/orders.h"
#include "sigsafe/process.h"
#include "sigsafe/real.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/saving.h"
#include "sigsafe/sigdisp.h"
#include "sigsafe/tell.h"

#define MOVE_MOST_NS                                                                               \
    2000000 /* a thread that doesn't run, or has all signals blocked, isn't awaited */

static bool is_ours(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && family_self() &&
           (uint64_t)(uintptr_t)info->si_value.sival_ptr == family->cookie;
}

static const char moved;       /* its address marks a signal of tell_move_threads, */
static _Atomic uint32_t moves; /* of which so many have been taken */

static bool is_a_move(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && info->si_value.sival_ptr == (const void *)&moved;
}

static const char shut; /* its address marks the one of tell_coordinator_to_block */

static bool is_to_block(const siginfo_t *info)
{
    return info->si_code == SI_QUEUE && info->si_value.sival_ptr == (const void *)&shut;
}

static void be_told(void)
{
    atomic_store(&life->told, 1);
    atomic_store(&life->draining, 1);
    fdtab_shut();
    life_post(LIFE_TOLD);
}

static void on_tell(int signo, siginfo_t *info, void *context)
{
    int saved = errno;

    if (is_to_block(info)) {
        (void)sigfillset(&((ucontext_t *)context)->uc_sigmask);
        return;
    }
    if (is_a_move(info)) {
        atomic_fetch_add(&moves, 1); /* what the thread was in has given its descriptors back */
    } else if (saving_is_tick(info)) {
        (void)saving_tick();
    } else if (orders_is_one(info)) {
        (void)orders_follow(info);
    } else if (is_ours(info)) {
        be_told();
    } else {
        /* Where bare it would end the process: nobody means that by another family's tell. */
        (void)sigdisp_call_handler(signo, info, context);
        return;
    }
    hold_claim(context, saved);
    errno = saved;
}

bool tell_taken(const siginfo_t *info)
{
    if (is_ours(info)) {
        be_told();
        (void)safepoint_start();
    }
    if (saving_is_tick(info) ? saving_tick() : orders_follow(info)) {
        (void)safepoint_start();
    }
    return !is_ours(info) && !is_a_move(info) && !saving_is_tick(info) && !orders_is_one(info);
}

static bool is_unused(int signo)
{
    struct sigaction action;

    return real.sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

/*
 * A blocked one may be waited for by sigwait; but a program may also have blocked everything. One that is
 * pending is waited for, and would be lost.
 */
static int choose(void)
{
    sigset_t blocked, pending;

    (void)real.pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    (void)sigpending(&pending);
    for (int pass = 0; pass < 2; pass++) {
        for (int signo = SIGRTMAX - 1; signo > SIGRTMIN; signo--) {
            if (is_unused(signo) && sigismember(&pending, signo) == 0 &&
                (pass == 1 || sigismember(&blocked, signo) == 0)) {
                return signo;
            }
        }
    }
    return 0;
}

int tell_install(int wanted)
{
    int signo = wanted == 0 ? choose() : wanted;

    if (signo < SIGRTMIN || signo > SIGRTMAX || !is_unused(signo)) {
        return -EBUSY;
    }
    int error = sigdisp_manage_tell(signo, on_tell);

    return error == 0 ? signo : error;
}

static siginfo_t message(int signo, const void *content)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = signo;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_value.sival_ptr = (void *)content;
    return info;
}

static void wait_for_moves(uint32_t end)
{
    int64_t deadline = life_now() + MOVE_MOST_NS;

    while ((int32_t)(end - atomic_load(&moves)) > 0 && life_now() < deadline) {
        (void)real.syscall(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    }
}

struct move {
    siginfo_t info;
    int self;
    uint32_t end; /* what `moves` is to become */
};

static bool move_one(int tid, void *argument)
{
    struct move *move = argument;

    if (tid != move->self) {
        move->end += real.syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, move->info.si_signo,
                                  (long)&move->info, 0, 0) == 0;
    }
    return false;
}

/* The main thread and, in a threaded program, the next tids: the kernel has no call for "all". */
void tell_move_threads(void)
{
    int signo = atomic_load(&sigdisp_tell);
    struct move move = {.info = message(signo, &moved),
                        .self = (int)real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0),
                        .end = atomic_load(&moves)};

    if (signo != 0) {
        (void)process_each_number("/proc/self/task", move_one, &move);
        wait_for_moves(move.end);
    }
}

/* A thread takes what was sent to it alone before what was sent to the process. */
void tell_coordinator_to_block(void)
{
    int signo = atomic_load(&sigdisp_tell), tid = atomic_load(&life->coordinator);
    siginfo_t info = message(signo, &shut);

    if (signo != 0 && tid != 0 && !life_thread.is_coordinator) {
        (void)real.syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, signo, (long)&info, 0, 0);
    }
}

bool tell_send(pid_t pid)
{
    int signo = atomic_load(&sigdisp_tell);
    siginfo_t info = message(signo, (const void *)(uintptr_t)family->cookie);

    return signo != 0 && real.syscall(SYS_rt_sigqueueinfo, pid, signo, (long)&info, 0, 0, 0) == 0;
}
