/* SPDX-License-Identifier: MIT */
/* Steps that set dispositions and masks, and send and wait for signals. */
/* Context: the program that is compared. */
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "allow.h"
#include "calls.h"
#include "guard.h"
#include "handlers.h"
#include "pool.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* old names too */

/* SIGALRM is the guard's, a fault or a stop nobody's; numbers that are none are welcome. */
static int any_signal(uint32_t random)
{
    return random % 16 ? handlers_signal(random / 16)
                       : ONE_OF(random / 16, 0, -1, 65, 1000, SIGKILL, SIGSTOP, 33);
}

static void record_action(const struct sigaction *action)
{
    record_value("handler", handlers_name(action->sa_handler));
    record_value("flags", action->sa_flags & ~ALLOW_LIBC_FLAGS);
    record_value("mask", (long)handlers_bits(&action->sa_mask));
}

void call_sigaction(const struct step *s)
{
    int signo = any_signal(s->a), flags = 0;
    struct sigaction action, old;

    memset(&action, 0, sizeof action);
    memset(&old, 0, sizeof old);
    action.sa_handler = handlers_choose(s->b);
    flags = ONE_OF(s->c, 0, SA_RESTART, SA_NODEFER, (int)SA_RESETHAND, SA_ONSTACK,
                   SA_RESTART | SA_NODEFER, SA_NOCLDSTOP, (int)SA_RESETHAND | SA_RESTART,
                   SA_ONSTACK | SA_RESTART, 0x400);
    action.sa_flags = flags | (handlers_name(action.sa_handler) == 3 ? SA_SIGINFO : 0);
    action.sa_mask = handlers_set(s->d);
    TRY(sigaction(signo, s->b % 9 == 8 ? NULL : &action, s->d % 4 ? &old : NULL));
    record_action(&old);
}

void call_signal(const struct step *s)
{
    int signo = any_signal(s->a);
    /* Not the one with siginfo, which these can't ask for. */
    handlers_function handler = s->b % 3 == 0   ? SIG_DFL
                                : s->b % 3 == 1 ? SIG_IGN
                                                : handlers_choose(7);
    handlers_function old = SIG_ERR;

    errno = RECORD_ERRNO;
    switch (s->c % 4) {
    case 0:
    case 1:
        old = signal(signo, s->b % 16 == 15 ? SIG_ERR : handler);
        break;
    case 2:
        old = sysv_signal(signo, handler);
        break;
    default:
        old = ssignal(signo, handler);
        break;
    }
    record_call(s->c % 4 == 2 ? "sysv_signal" : "signal", old == SIG_ERR ? -1 : handlers_name(old),
                errno);
}

void call_siginterrupt(const struct step *s)
{
    int signo = any_signal(s->a), on = (int)(s->b % 2);

    TRY(siginterrupt(signo, on));
}

void call_sigset(const struct step *s)
{
    int signo = any_signal(s->a);
    handlers_function handler = s->b % 4 == 0   ? SIG_HOLD
                                : s->b % 4 == 1 ? SIG_DFL
                                                : handlers_choose(7),
                      old;

    if (s->c % 2) {
        TRY(sigignore(signo));
        return;
    }
    errno = RECORD_ERRNO;
    old = sigset(signo, handler);
    record_call("sigset", old == SIG_ERR ? -1 : old == SIG_HOLD ? 5 : handlers_name(old), errno);
}

void call_mask(const struct step *s)
{
    sigset_t set = handlers_set(s->a), old;
    int how = ONE_OF(s->b, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, SIG_BLOCK, SIG_UNBLOCK, 77);
    const sigset_t *wanted = s->c % 16 == 0 ? NULL : &set;

    sigemptyset(&old);
    if (s->c % 2)
        TRY(sigprocmask(how, wanted, &old));
    else
        TRY(pthread_sigmask(how, wanted, &old));
    record_value("before", (long)allow_blocked(handlers_bits(&old)));
}

void call_old_mask(const struct step *s)
{
    int signo = any_signal(s->a),
        bits = 1 << (SIGHUP - 1) | 1 << (SIGUSR1 - 1) | 1 << (SIGTERM - 1);

    switch (s->b % 5) {
    case 0:
        TRY(sighold(signo));
        break;
    case 1:
    case 2:
        TRY(sigrelse(signo));
        break;
    case 3:
        TRY(sigblock(s->c % 3 ? bits : 0));
        break;
    default:
        TRY(sigsetmask(s->c % 3 ? bits : 0));
        break;
    }
}

/* Most of the time only what doesn't end the process: that, too, must end it in both runs. */
static int to_send(uint32_t random)
{
    int signo = allow_signal(handlers_signal(random / 64));

    return handlers_is_safe(signo) || random % 64 == 0 ? signo : 0;
}

void call_kill(const struct step *s)
{
    int signo = to_send(s->a);

    switch (s->b % 4) {
    case 0:
        TRY(raise(signo));
        break;
    case 1:
        TRY(pthread_kill(pthread_self(), signo));
        break;
    default:
        TRY(kill(getpid(), signo));
        break;
    }
}

void call_sigqueue(const struct step *s)
{
    int signo = to_send(s->a);
    union sigval value = {.sival_int = (int)s->b};

    TRY(sigqueue(getpid(), signo, value));
}

/* A blocked signal is sent first, most of the time, so that there is something to wait for. */
void call_sigsuspend(const struct step *s)
{
    allow_wait_with_mask(true);
    sigset_t mask = handlers_set(s->a);
    int signo = to_send(s->b);

    if (s->c % 3)
        TRY(raise(signo));
    if (s->d % 4 == 0)
        GUARDED(pause());
    else if (s->d % 4 == 1)
        GUARDED(sigpause(SIGUSR1));
    else
        GUARDED(sigsuspend(&mask));
}

void call_sigwait(const struct step *s)
{
    static const struct timespec now;
    static const struct timespec bad = {.tv_nsec = -1};
    sigset_t set = handlers_set(s->a);
    siginfo_t info;

    memset(&info, 0, sizeof info);
    if (s->b % 4 == 0) {
        if (GUARDED(sigwaitinfo(&set, &info)) > 0)
            handlers_record_info(&info);
    } else if (TRY(sigtimedwait(&set, &info, s->b % 16 == 1 ? &bad : &now)) > 0) {
        handlers_record_info(&info);
    }
}

static void read_signals(int fd)
{
    struct signalfd_siginfo got[2];
    long n;

    memset(got, 0, sizeof got);
    n = GUARDED(read(fd, got, sizeof got));
    for (long i = 0; i < n / (long)sizeof *got; i++) {
        record_value("signal", got[i].ssi_signo);
        record_value("code", got[i].ssi_code);
    }
}

void call_signalfd(const struct step *s)
{
    int fd = s->b % 3 ? -1 : pool_of(POOL_SIGNALFD, s->c);
    sigset_t set = handlers_set(s->a);
    int flags = ONE_OF(s->d, SFD_NONBLOCK, SFD_NONBLOCK | SFD_CLOEXEC, SFD_NONBLOCK, 0x7);

    if (s->c % 3 == 0)
        read_signals(pool_of(POOL_SIGNALFD, s->c));
    else
        TRY(signalfd(fd, &set, flags));
}
