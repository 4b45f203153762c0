/* SPDX-License-Identifier: MIT */
/* A hook that crashes or exits ends itself, and not the server. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 *     crash_guard(true);                while hooks may be called
 *     life_thread.hook = &mark;         by crash_enter(), on the thread that calls one
 *     ... the hook ...
 *     crash_enter(NULL);
 *     crash_guard(false);               before the program gets its signal
 *
 * While guarded, the kernel's disposition of SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT is the
 * handler here. On a marked thread, if the thread itself has raised the signal, it fills in the mark
 * and calls mark->leave(), which doesn't return: no cleanup of the hook's runs and no lock of its is
 * given back, but nor is anything of the program's touched. Everywhere else the program's own
 * disposition (sigdisp.h) is followed: its handler is called with the same siginfo and context,
 * under the mask and flags that it asked for; a default action is made real, and the fault happens
 * again, so that the core shows the place.
 *
 * exit(), _exit(), quick_exit(), abort() and pthread_exit() come to crash_called() on a marked
 * thread (wrap/process.c).
 *
 * A forked child has neither guard nor mark (crash_forget_in_child). A fault in a thread that a hook
 * has made itself is the program's.
 */
#ifndef FLUXSHIM_SIGSAFE_CRASH_H
#define FLUXSHIM_SIGSAFE_CRASH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "sigsafe/life.h"

/* How a hook's thread has come to its end. */
enum crash_how {
    CRASH_NONE,   /* it hasn't */
    CRASH_SIGNAL, /* `detail` is the signal */
    CRASH_CALL    /* it called `call`; `detail` is the status, -1: it has none */
};

struct crash_mark {
    const char *name;                       /* the hook's, for flux_log() */
    void (*leave)(struct crash_mark *mark); /* never returns */
    const char *call;
    int detail;
    _Atomic uint32_t how;  /* enum crash_how; stored last, after `call` and `detail` */
    _Atomic uint32_t news; /* futex word: rung when `how` is set */
};

/* Stand in front of the five signals, or no longer. One thread at a time. */
void crash_guard(bool on);

/* From here on this thread is in that hook; NULL: in none. */
void crash_enter(struct crash_mark *mark);

/*
 * The mark of this thread, NULL: it is in no hook. Also after the release, for one that was left
 * behind; but not in a child, whose page is wiped.
 */
static inline struct crash_mark *crash_mark(void)
{
    return __builtin_expect(life_thread.hook != NULL, 0) && !life_thread.in_vfork &&
                   atomic_load_explicit(&life->has_hooks, memory_order_relaxed) != 0
               ? life_thread.hook
               : NULL;
}

/* A hook called that function, which ends a process or a thread. It returns if this is no hook. */
void crash_called(const char *call, int status);

void crash_forget_in_child(void);

#endif
