/* SPDX-License-Identifier: MIT */
/* The handler of the signals of faults, and what it does with a hook's. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sigsafe/crash.h"
#include "sigsafe/real.h"
#include "sigsafe/sigdisp.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* Not on the wiped page: a child has inherited the handlers. Written by whoever guards. */
static bool guards;

static void end(struct crash_mark *mark, enum crash_how how, const char *call, int detail)
{
    atomic_store(&life->left_behind, 1);
    mark->call = call;
    mark->detail = detail;
    atomic_store_explicit(&mark->how, how, memory_order_release);
    atomic_fetch_add(&mark->news, 1);
    life_wake(&mark->news);
    mark->leave(mark);
}

/* A fault, or raise(): not what another process has sent to this one. */
static bool is_of_this_thread(const siginfo_t *info)
{
    return info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid());
}

/*
 * A fault happens again when the handler returns. What was sent has to be sent again: it is blocked
 * here, and delivered at the return. Only the main thread may repeat what raise() says of itself
 * (rt_tgsigqueueinfo(2)).
 */
static void follow_default(int signo, siginfo_t *info)
{
    long tid = real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0);

    sigdisp_default(signo);
    if (info->si_code <= 0 &&
        real.syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, signo, (long)info, 0, 0) != 0) {
        (void)real.syscall(SYS_tgkill, getpid(), tid, signo, 0, 0, 0);
    }
}

/* The kernel takes an ignored fault for SIG_DFL (kernel/signal.c, force_sig_info_to_task). */
static void follow_program(int signo, siginfo_t *info, void *context)
{
    struct sigaction action;

    sigdisp_current(signo, &action);
    if (action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && info->si_code > 0)) {
        follow_default(signo, info);
        return;
    }
    sigdisp_spend(signo);
    if (action.sa_flags & SA_SIGINFO) {
        action.sa_sigaction(signo, info, context);
    } else if (action.sa_handler != SIG_IGN) {
        action.sa_handler(signo);
    }
}

static void on_crash(int signo, siginfo_t *info, void *context)
{
    struct crash_mark *mark = crash_mark();

    if (mark && is_of_this_thread(info)) {
        end(mark, CRASH_SIGNAL, NULL, signo);
    }
    follow_program(signo, info, context);
}

void crash_called(const char *call, int status)
{
    struct crash_mark *mark = crash_mark();

    if (mark) {
        end(mark, CRASH_CALL, call, status);
    }
}

void crash_guard(bool on)
{
    if (guards == on) {
        return;
    }
    guards = on;
    atomic_store(&life->has_hooks, 1);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (on) {
            sigdisp_guard(signals[i], on_crash);
        } else {
            sigdisp_unguard(signals[i]);
        }
    }
}

void crash_enter(struct crash_mark *mark)
{
    life_thread.hook = mark;
}

void crash_forget_in_child(void)
{
    life_thread.hook = NULL;
    if (guards) {
        crash_guard(false);
    }
}
