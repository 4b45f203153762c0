/* SPDX-License-Identifier: MIT */
/* Reads and writes that the shim's own handler has ended early: which ones, and that they go on. */
/* Context: AS-Safe, MT-Safe; transfer_visit() is the handler's. */

/*
 * The handler restarts what it interrupts (SA_RESTART), but the kernel doesn't restart everything: a socket
 * with a timeout of its own says EINTR, and a blocking write that has moved some bytes says how many
 * (signal(7)). Bare there was no handler, so the wrapper makes the call again or goes on behind what has been
 * moved.
 *
 * A wrapper notes nothing before its call. The handler does: the result that the kernel is about to give,
 * and the arguments of the call it belongs to, as they are in the registers. A wrapper whose result isn't
 * the usual one asks whether that is its own.
 *
 *     TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.read(fd, bytes, size));
 *     while (transfer_was_cut(bytes, size, n)) { ... }
 */
#ifndef FLUXSHIM_SIGSAFE_TRANSFER_H
#define FLUXSHIM_SIGSAFE_TRANSFER_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sigsafe/alone.h"
#include "sigsafe/direct.h"
#include "sigsafe/life.h"

/* As libc returns what the kernel has returned. */
static inline long transfer_result(long result)
{
    if (__builtin_expect((unsigned long)result > -4096ul, 0)) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

/* A call of three arguments, by the wrapper where it may be. */
#define TRANSFER_DIRECT(number, libcs, a, b, c)                                                    \
    (alone_now() ? transfer_result(direct_call((number), (a), (long)(b), (long)(c)))               \
                 : libcs((a), (b), (c)))

/* The handler has interrupted `context`. */
void transfer_visit(const void *context);

/*
 * A call with these second and third arguments (their lower halves) has returned -1. True, with errno as it
 * was before: only the shim's handler has done that, and `option` (SO_RCVTIMEO, SO_SNDTIMEO) doesn't say that
 * the time is over (wait_is_over(); *since is 0 for the first time that the call is made).
 */
bool transfer_again(int64_t *since, int fd, int option, uint32_t second, uint32_t third);

/* Such a call has moved n bytes. True, once: no more of them, since the shim's handler came in between. */
bool transfer_was_cut(uint32_t second, uint32_t third, ssize_t n);

/* Could it be that? In line: for calls whose whole size isn't at hand. */
static inline bool transfer_is_noted(ssize_t n)
{
    const struct context_call *call = &life_thread.visit;

    return __builtin_expect(call->result == n || call->is_any, 0) && n > 0;
}

#define TRANSFER_HALF(argument) ((uint32_t)(uintptr_t)(argument))

#define TRANSFER(result, fd, option, second, third, call)                                          \
    do {                                                                                           \
        (result) = (call);                                                                         \
        TRANSFER_AGAIN(result, fd, option, second, third, call);                                   \
    } while (0)

/* The same where the first call has been made already. */
#define TRANSFER_AGAIN(result, fd, option, second, third, call)                                    \
    do {                                                                                           \
        int64_t since_ = 0;                                                                        \
                                                                                                   \
        while (__builtin_expect((result) == -1, 0) &&                                              \
               transfer_again(&since_, (fd), (option), TRANSFER_HALF(second),                      \
                              TRANSFER_HALF(third))) {                                             \
            (result) = (call);                                                                     \
        }                                                                                          \
    } while (0)

/*
 * `variable` holds what only a rare path wants behind a call. In memory that is a store; in registers the
 * compiler would save and restore one each.
 */
#define TRANSFER_KEEP(variable) __asm__("" : "+m"(variable))

#endif
