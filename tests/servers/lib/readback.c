/* SPDX-License-Identifier: MIT */
/* What the program is told about its own signals, printed so that two runs can be compared. */
#define _GNU_SOURCE 1
#include "readback.h"

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"
#include "siginstall.h"
#include "util.h"

struct disposition {
    int signo;
    const char *handler;
    unsigned flags;
    uint64_t sa_mask;
    uint64_t blocked;
    bool on_main_thread;
};

/* Written by the first handler that runs, read when the server ends, which is after it. */
static struct disposition captured;

static uint64_t mask_bits(const sigset_t *set)
{
    uint64_t bits = 0;

    for (int signo = 1; signo <= 64; signo++)
        if (sigismember(set, signo) == 1)
            bits |= UINT64_C(1) << (signo - 1);
    return bits;
}

static const char *handler_name(const struct sigaction *action)
{
    if (action->sa_handler == SIG_DFL)
        return "dfl";
    if (action->sa_handler == SIG_IGN)
        return "ign";
    return siginstall_is_own_handler(action->sa_handler) ? "own" : "other";
}

static struct disposition look(int signo)
{
    struct sigaction action;
    sigset_t blocked;

    if (sigaction(signo, NULL, &action) < 0 || pthread_sigmask(SIG_BLOCK, NULL, &blocked) != 0)
        return (struct disposition){.signo = signo, .handler = "error"};
    return (struct disposition){.signo = signo,
                                .handler = handler_name(&action),
                                .flags = (unsigned)action.sa_flags,
                                .sa_mask = mask_bits(&action.sa_mask),
                                .blocked = mask_bits(&blocked),
                                .on_main_thread = gettid() == getpid()};
}

static void print(const char *when, const struct disposition *seen, const char *suffix)
{
    say("disposition at=%s sig=%d handler=%s flags=0x%x sa_mask=%016" PRIx64 " blocked=%016" PRIx64
        "%s",
        when, seen->signo, seen->handler, seen->flags, seen->sa_mask, seen->blocked, suffix);
}

void readback_print(const char *when)
{
    if (!opt.readback)
        return;
    struct disposition term = look(SIGTERM), interrupt = look(SIGINT);
    print(when, &term, "");
    print(when, &interrupt, "");
}

void readback_capture_in_handler(int signo)
{
    if (opt.readback && captured.signo == 0)
        captured = look(signo);
}

void readback_print_captured(void)
{
    if (captured.signo != 0)
        print("handler", &captured, captured.on_main_thread ? " thread=main" : " thread=other");
}
