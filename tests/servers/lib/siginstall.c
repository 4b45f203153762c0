/* SPDX-License-Identifier: MIT */
/* The ways in which a program asks for its signals: one install function each. */
#define _GNU_SOURCE 1
#include "siginstall.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "options.h"
#include "readback.h"
#include "stop.h"
#include "util.h"

const int siginstall_signals[2] = {SIGTERM, SIGINT};
struct siginstall_state siginstall = {.fd = -1};

static int selfpipe_write_end = -1;
static bool finish_in_handler; /* written before the handlers are installed */

static void wake_or_finish(void)
{
    int saved_errno = errno;

    if (finish_in_handler)
        stop_finish_in_handler();
    if (selfpipe_write_end >= 0 && write(selfpipe_write_end, "s", 1) < 0)
        errno = saved_errno;
    errno = saved_errno;
}

static void on_signal(int signo)
{
    readback_capture_in_handler(signo);
    stop_record(signo, NULL);
    wake_or_finish();
}

static void on_siginfo(int signo, siginfo_t *info, void *context)
{
    (void)context;
    readback_capture_in_handler(signo);
    stop_record(signo, info);
    wake_or_finish();
}

/* SA_RESETHAND has made the disposition the default one: the process ends when this returns. */
static void on_signal_reraise(int signo)
{
    int saved_errno = errno;

    say("signal %d raised again", signo);
    raise(signo);
    errno = saved_errno;
}

bool siginstall_is_own_handler(signal_handler handler)
{
    return handler == on_signal || handler == on_signal_reraise ||
           handler == (signal_handler)(void *)on_siginfo;
}

void siginstall_fill(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
}

/* A blocking accept() or read() that is restarted never shows EINTR: the handler must end it. */
static void note_restart(const struct sigstyle *style)
{
    finish_in_handler =
        (style->flags & SA_RESTART) && (opt.kind & (SERVER_THREADED | SERVER_SINGLE));
}

static void set_action(struct sigaction *action)
{
    sigemptyset(&action->sa_mask);
    for (int i = 0; i < 2; i++)
        if (sigaction(siginstall_signals[i], action, NULL) < 0)
            die("sigaction");
}

void install_nothing(const struct sigstyle *style)
{
    (void)style;
}

void install_action(const struct sigstyle *style)
{
    struct sigaction action = {.sa_flags = style->flags};

    note_restart(style);
    if (style->flags & SA_SIGINFO)
        action.sa_sigaction = on_siginfo;
    else
        action.sa_handler = on_signal;
    set_action(&action);
}

void install_blocked(const struct sigstyle *style)
{
    sigset_t set;

    (void)style;
    siginstall_fill(&set);
    if (sigprocmask(SIG_BLOCK, &set, &siginstall.open_mask) < 0)
        die("sigprocmask");
}

void install_action_blocked(const struct sigstyle *style)
{
    install_blocked(style);
    install_action(style);
}

static void *run_install_action(void *style)
{
    install_action(style);
    return NULL;
}

void install_action_in_thread(const struct sigstyle *style)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run_install_action, (void *)style) != 0)
        die("pthread_create");
    pthread_join(thread, NULL);
}

void install_reraise(const struct sigstyle *style)
{
    struct sigaction action = {.sa_handler = on_signal_reraise, .sa_flags = style->flags};

    set_action(&action);
}

void install_by_call(const struct sigstyle *style)
{
    note_restart(style);
    for (int i = 0; i < 2; i++)
        if (style->call(siginstall_signals[i], on_signal) == SIG_ERR)
            die(style->name);
}

void install_by_simple_call(const struct sigstyle *style)
{
    for (int i = 0; i < 2; i++)
        if (style->simple_call(siginstall_signals[i]) < 0)
            die(style->name);
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* old names are what is tested */
void install_interruptible(const struct sigstyle *style)
{
    install_by_call(style);
    for (int i = 0; i < 2; i++)
        if (siginterrupt(siginstall_signals[i], 1) < 0)
            die("siginterrupt");
}

void install_ignore(const struct sigstyle *style)
{
    (void)style;
    for (int i = 0; i < 2; i++)
        signal(siginstall_signals[i], SIG_IGN);
}

void install_thread(const struct sigstyle *style)
{
    pthread_t thread;

    install_blocked(style);
    if (pthread_create(&thread, NULL, style->thread, NULL) != 0)
        die("pthread_create");
    pthread_detach(thread);
}

void install_signalfd(const struct sigstyle *style)
{
    sigset_t set;

    install_blocked(style);
    siginstall_fill(&set);
    siginstall.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (siginstall.fd < 0)
        die("signalfd");
}

void install_selfpipe(const struct sigstyle *style)
{
    int ends[2];

    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
        die("pipe2");
    siginstall.fd = ends[0];
    siginstall.fd_is_pipe = true;
    selfpipe_write_end = ends[1];
    install_action(style);
}
