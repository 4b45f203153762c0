/* SPDX-License-Identifier: MIT */
/* The signal styles: what --signal may name, and what the server's loop must do for it. */
#define _GNU_SOURCE 1
#include "sigstyle.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "readback.h"
#include "siginstall.h"
#include "sigwaiters.h"
#include "stop.h"
#include "util.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* old names are what is tested */

/* glibc exports it and declares it for old standards only. */
extern signal_handler bsd_signal(int signo, signal_handler handler);

enum {
    LOOPS = SERVER_EPOLL | SERVER_POLL | SERVER_SELECT,
    ALL = LOOPS | SERVER_THREADED | SERVER_SINGLE,
    NOT_SINGLE = ALL & ~SERVER_SINGLE,
};

#define STYLE(word, kinds, function, ...)                                                          \
    {                                                                                              \
        .name = word, .servers = kinds, .install = function, __VA_ARGS__                           \
    }

static const struct sigstyle styles[] = {
    STYLE("default", ALL, install_nothing),
    STYLE("signal", ALL, install_by_call, .call = signal, .flags = SA_RESTART),
    STYLE("bsd", ALL, install_by_call, .call = bsd_signal, .flags = SA_RESTART),
    STYLE("sysv", ALL, install_by_call, .call = sysv_signal, .flags = SA_RESETHAND | SA_NODEFER),
    STYLE("sigset", ALL, install_by_call, .call = sigset),
    STYLE("siginterrupt", ALL, install_interruptible, .call = signal),
    STYLE("sigaction", ALL, install_action),
    STYLE("siginfo", ALL, install_action, .flags = SA_SIGINFO),
    STYLE("restart", ALL, install_action, .flags = SA_RESTART),
    STYLE("resethand", ALL, install_action, .flags = SA_RESETHAND),
    STYLE("nodefer", ALL, install_action, .flags = SA_NODEFER),
    STYLE("reraise", ALL, install_reraise, .flags = SA_RESETHAND),
    STYLE("late", ALL, install_action, .after_listen = true),
    STYLE("thread", ALL, install_action_in_thread, .after_listen = true),
    STYLE("change", ALL, install_action),
    STYLE("ignore", ALL, install_ignore),
    STYLE("sigignore", ALL, install_by_simple_call, .simple_call = sigignore),
    STYLE("blocked", ALL, install_blocked),
    STYLE("sighold", ALL, install_by_simple_call, .simple_call = sighold),
    STYLE("sigwait", ALL, install_thread, .thread = wait_in_sigwait),
    STYLE("sigwaitinfo", ALL, install_thread, .thread = wait_in_sigwaitinfo),
    STYLE("sigtimedwait", ALL & ~LOOPS, install_thread, .thread = wait_in_sigtimedwait),
    STYLE("sigtimedwait", LOOPS, install_blocked),
    STYLE("signalfd", NOT_SINGLE, install_signalfd),
    STYLE("signalfd-block", ALL, install_thread, .thread = wait_in_signalfd),
    STYLE("selfpipe", NOT_SINGLE, install_selfpipe),
    STYLE("ppoll", SERVER_THREADED | SERVER_POLL, install_action_blocked, .flags = SA_SIGINFO),
    STYLE("pselect", SERVER_SELECT, install_action_blocked, .flags = SA_SIGINFO),
    STYLE("epoll-pwait", SERVER_EPOLL, install_action_blocked, .flags = SA_SIGINFO),
    STYLE("sigsuspend", SERVER_THREADED, install_action_blocked, .flags = SA_SIGINFO),
    STYLE("pause", SERVER_THREADED, install_action),
};

static const struct sigstyle after_change =
    STYLE("change", ALL, install_action, .flags = SA_SIGINFO);

static const struct sigstyle *chosen;

static bool is(const char *name)
{
    return strcmp(chosen->name, name) == 0;
}

void sigstyle_choose(void)
{
    bool known = false;

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
        if (strcmp(styles[i].name, opt.signal_style) != 0)
            continue;
        known = true;
        if (styles[i].servers & opt.kind)
            chosen = &styles[i];
    }
    if (!chosen)
        die_usage("--signal %s: %s", opt.signal_style,
                  known ? "not possible in this server" : "no such style");
}

static void install(void)
{
    chosen->install(chosen);
    readback_print("installed");
}

void sigstyle_before_listen(void)
{
    readback_print("start");
    if (!chosen->after_listen && !opt.late)
        install();
}

void sigstyle_after_listen(void)
{
    readback_print("listening");
    if (chosen->after_listen || opt.late)
        install();
}

void sigstyle_first_request(void)
{
    static atomic_bool seen;

    if (atomic_load(&seen) || atomic_exchange(&seen, true))
        return;
    if (is("change"))
        install_action(&after_change);
    readback_print("request");
}

const sigset_t *sigstyle_wait_mask(void)
{
    return chosen->install == install_action_blocked && !sigstyle_suspends() ? &siginstall.open_mask
                                                                             : NULL;
}

int sigstyle_fd(void)
{
    return siginstall.fd;
}

void sigstyle_fd_ready(void)
{
    if (siginstall.fd_is_pipe)
        stop_check();
    else
        take_from_signalfd(siginstall.fd);
}

bool sigstyle_suspends(void)
{
    return is("pause") || is("sigsuspend");
}

void sigstyle_suspend(void)
{
    if (is("pause"))
        pause();
    else
        sigsuspend(&siginstall.open_mask);
    stop_interrupted();
}

bool sigstyle_is_polled(void)
{
    return is("sigtimedwait") && !chosen->thread;
}

void sigstyle_poll_once(void)
{
    take_by_sigtimedwait(1);
}
