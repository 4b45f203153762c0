/* SPDX-License-Identifier: MIT */
/* System calls that pass no function of libc's. */
/* Context: AS-Safe, MT-Safe; errno is left alone. */

/*
 * A child that has just been forked has no page of libc's text but the one with fork() in it. The first
 * call of any function elsewhere costs a page fault that maps sixteen pages (some 3 us with what
 * their removal takes), where the system call itself takes 0.1. And a wrapper that makes the call
 * itself, where libc would do nothing more, has no second call and no second return: transfer.h.
 */
#ifndef FLUXSHIM_SIGSAFE_DIRECT_H
#define FLUXSHIM_SIGSAFE_DIRECT_H

#include <errno.h>

#include "sigsafe/real.h"

/* As the kernel returns it: -errno if it fails. */
static inline __attribute__((always_inline)) long direct_call_six(long number, long a, long b,
                                                                  long c, long d, long e, long f)
{
#if defined(__x86_64__)
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;

    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
#else
    int saved = errno;
    long result = real.syscall(number, a, b, c, d, e, f);

    result = result == -1 ? -errno : result;
    errno = saved;
    return result;
#endif
}

/* The same with three arguments, a descriptor or a number first: nothing else is put into a register. */
static inline __attribute__((always_inline)) long direct_call(long number, int a, long b, long c)
{
#if defined(__x86_64__)
    long result = number;

    __asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;

    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
#else
    return direct_call_six(number, a, b, c, 0, 0, 0);
#endif
}

#endif
