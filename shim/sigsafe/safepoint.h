/* SPDX-License-Identifier: MIT */
/* Where a thread may be started in a single-threaded program, and which EINTR is ours. */
/* Context: AS-Safe, MT-Safe; safepoint_start() only where the rule below allows it. */

/*
 * A single-threaded program has no coordinator until the signal comes. The handler that holds the
 * signal interrupts either a system call that waits -- POSIX (System Interfaces 2.4.3) lets a handler
 * that interrupts a safe function call any function, and no allocator waits -- and then starts the
 * thread itself; or other code, and then it leaves a note, and the next wrapped call starts the thread. A
 * kernel timer (hold.c, saving.c) retries, and finds out that the program sits in a call that may or may not
 * wait.
 *
 * A wait that the shim's own handler has interrupted is repeated, so that no EINTR reaches the
 * program that it would not see bare:
 *
 *     struct wait wait = wait_begin();
 *     do { r = real.accept(...); } while (wait_again(&wait, r));
 *
 * read, write and their families do without the note that wait_begin() takes: transfer.h.
 */
#ifndef FLUXSHIM_SIGSAFE_SAFEPOINT_H
#define FLUXSHIM_SIGSAFE_SAFEPOINT_H

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "sigsafe/context.h"
#include "sigsafe/life.h"

/* Bits of life->work: what is to be done at the next safe point. */
enum safepoint_work {
    SAFEPOINT_START = 1u << 0,    /* a signal is held, the coordinator is wanted */
    SAFEPOINT_INHERITED = 1u << 1 /* listeners, or a family, were passed to this process: arm */
};

/* Do it. In the program's own thread, outside of any handler. */
void safepoint_do_work(void);

/* Start the coordinator unless it runs. 0, or -errno (EPERM: sandboxed). Context: a safe point. */
int safepoint_start(void);

/* Why the last attempt to start it failed: an error number, or 0. */
int safepoint_error(void);

/* The shim's handler has interrupted `context`: start the coordinator if that is a safe point. */
void safepoint_from_handler(const void *context);

/*
 * Around a call that must be made by a process with one thread (unshare, setns, raw clone): end
 * the coordinator's thread, and start it again where it was. No-ops in a threaded program.
 */
void safepoint_pause(void);
void safepoint_resume(void);

/* What the coordinator's thread runs; set while arming. */
extern void *(*_Atomic safepoint_body)(void *);

/*
 * libc's own count of threads, or NULL where it can't be had. The last thread that returns ends the
 * process (pthread_exit(3)): the coordinator takes itself out of the count, so that it is never the
 * one that keeps a program alive.
 */
extern _Atomic uint32_t *safepoint_libc_threads;

/* A thread of the shim's leaves that count (by whoever made it), or comes back to it at its end. */
void safepoint_count_in_libc(bool in);

/* Has the shim's handler interrupted a system call that waits, or one that is about to be made? */
bool safepoint_is_a_wait(const void *context);

struct wait {
    uint32_t claims;
    int64_t since; /* wait_is_over(): when it was first interrupted, 0: it wasn't */
};

static inline struct wait wait_begin(void)
{
    if (__builtin_expect(atomic_load_explicit(&life->work, memory_order_relaxed) != 0, 0)) {
        safepoint_do_work();
    }
    return (struct wait){.claims = life_thread.claims};
}

/*
 * True if `result` is an EINTR that only the shim's handler has caused. errno is as before the call then:
 * a call that succeeds at last leaves it alone, and CPython takes an EINTR in it for a failure.
 */
static inline bool wait_again(struct wait *wait, long result)
{
    if (__builtin_expect(result != -1, 1) || errno != EINTR || life_thread.claims == wait->claims ||
        atomic_load(&life->released) == LIFE_DELIVERED) {
        return false;
    }
    wait->claims = life_thread.claims;
    errno = life_thread.claimed_errno;
    return true;
}

/*
 * A socket with a timeout of its own (SO_RCVTIMEO, SO_SNDTIMEO) starts it afresh with each call, and
 * ticks of a periodic checkpoint (saving.h) would have it wait for ever. Nobody knows when the call
 * began, so its time is counted from the first interruption: it ends too late by less than that once, or
 * by two intervals. True, with errno EAGAIN: it is over.
 */
bool wait_is_over(int64_t *since, int fd, int option);

static inline bool wait_again_on(struct wait *wait, long result, int fd, int option)
{
    return wait_again(wait, result) && !wait_is_over(&wait->since, fd, option);
}

/* The whole pattern, for calls that simply start again. */
#define WAIT_FOR(result, call)                                                                     \
    do {                                                                                           \
        struct wait wait_ = wait_begin();                                                          \
        do {                                                                                       \
            (result) = (call);                                                                     \
        } while (wait_again(&wait_, (result)));                                                    \
    } while (0)

/*
 * Before a wait is repeated that takes a mask (ppoll for poll, and so on): block every signal, so
 * that none can slip in between the decision and the wait. `ret_mask` is the mask to wait with.
 * False, with errno EINTR, if the program's signal has been delivered in the meantime: bare, it
 * would have interrupted this wait.
 */
bool wait_shut(sigset_t *ret_mask);
void wait_open(sigset_t *mask);

#endif
