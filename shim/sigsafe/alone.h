/* SPDX-License-Identifier: MIT */
/* Is this a program with one thread, as libc sees it? */
/* Context: AS-Safe, MT-Safe. */
#ifndef FLUXSHIM_SIGSAFE_ALONE_H
#define FLUXSHIM_SIGSAFE_ALONE_H

#include <stdbool.h>

#include "sigsafe/inner.h"

/*
 * Where libc's function would do nothing but the system call, the wrapper makes it itself (direct.h): in a
 * process with one thread there is nothing to cancel (pthreads(7)). Points to libc's own word on that
 * (__libc_single_threaded, glibc 2.32), or to a 0 if there is none, or if another library's read comes
 * before libc's (boot/alone.c). Set while arming.
 */
extern const char *alone_word INNER;

static inline bool alone_now(void)
{
    return __builtin_expect(*alone_word != 0, 1);
}

#endif
