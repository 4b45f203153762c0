/* SPDX-License-Identifier: MIT */
/* Sleeps, pause and the wait family: no signal of ours ends them early. */
/* Context: AS-Safe where the call is, MT-Safe, cancellation points. */
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "sigsafe/family.h"
#include "sigsafe/process.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "wrap/wrap.h"

/* nanosleep reports what is left only when it is interrupted: that is the time to go on with. */
WRAP int nanosleep(const struct timespec *time, struct timespec *ret_left)
{
    struct timespec left = {0};
    struct wait wait = wait_begin();
    int result = real.nanosleep(time, &left);

    while (wait_again(&wait, result)) {
        struct timespec rest = left;

        result = real.nanosleep(&rest, &left);
    }
    if (result != 0 && errno == EINTR && ret_left) {
        *ret_left = left;
    }
    return result;
}

WRAP int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                         struct timespec *ret_left)
{
    struct timespec left = {0}, rest = *time;
    struct wait wait = wait_begin();
    int error;

    for (;;) {
        error = real.clock_nanosleep(clock, flags, &rest, &left);
        errno = error == EINTR ? EINTR : errno;
        if (!wait_again(&wait, error == EINTR ? -1 : 0)) {
            break;
        }
        rest = flags & TIMER_ABSTIME ? rest : left;
    }
    if (error == EINTR && ret_left && !(flags & TIMER_ABSTIME)) {
        *ret_left = left;
    }
    return error;
}

/* C11: -1 if a signal ended it, another negative number for an error. */
WRAP int thrd_sleep(const struct timespec *time, struct timespec *ret_left)
{
    int error = clock_nanosleep(CLOCK_REALTIME, 0, time, ret_left);

    return error == 0 ? 0 : error == EINTR ? -1 : -2;
}

WRAP unsigned sleep(unsigned seconds)
{
    struct timespec time = {.tv_sec = seconds}, left = {0};
    int saved = errno;

    if (nanosleep(&time, &left) == 0) {
        errno = saved;
        return 0;
    }
    return (unsigned)left.tv_sec;
}

WRAP int usleep(useconds_t us)
{
    struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

    return nanosleep(&time, NULL);
}

WRAP int sigsuspend(const sigset_t *mask)
{
    sigset_t open;
    int result;

    WAIT_FOR(result, real.sigsuspend(sigdisp_open_mask(mask, &open)));
    return result;
}

WRAP int pause(void)
{
    sigset_t current;
    int result;

    WAIT_FOR(result, (real.pthread_sigmask(SIG_BLOCK, NULL, &current), real.sigsuspend(&current)));
    return result;
}

/* Waited for, and no longer there: it wasn't merely stopped or continued. */
static void reaped(pid_t pid)
{
    if (pid > 0 && UNLIKELY(family != NULL) && process_is_gone(pid, 0)) {
        family_reaped(pid);
    }
}

WRAP pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    pid_t result;

    WAIT_FOR(result, real.wait4(pid, status, options, usage));
    reaped(result);
    return result;
}

WRAP pid_t waitpid(pid_t pid, int *status, int options)
{
    return wait4(pid, status, options, NULL);
}

WRAP pid_t wait3(int *status, int options, struct rusage *usage)
{
    return wait4(-1, status, options, usage);
}

WRAP pid_t wait(int *status)
{
    return wait4(-1, status, 0, NULL);
}

WRAP int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    int result;

    WAIT_FOR(result, real.waitid(type, id, info, options));
    reaped(result == 0 && info ? info->si_pid : 0);
    return result;
}
