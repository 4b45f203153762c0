/* SPDX-License-Identifier: MIT */
/* What a handler's ucontext says of the code that it has interrupted. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A handler that interrupts a blocking system call finds the program counter either behind the
 * instruction, with -EINTR as the result, or at it, since the kernel will restart the call
 * (signal(7), SA_RESTART; arch/x86/kernel/signal.c, arch/arm64/kernel/signal.c).
 */
#ifndef FLUXSHIM_SIGSAFE_CONTEXT_H
#define FLUXSHIM_SIGSAFE_CONTEXT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

/* The stack pointer here: in a wrapper's body that is where its calls begin. */
static inline __attribute__((always_inline)) uintptr_t context_here(void)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

#if defined(__x86_64__)
    __asm__ volatile("movq %%rsp, %0" : "=r"(here));
#elif defined(__aarch64__)
    __asm__ volatile("mov %0, sp" : "=r"(here));
#endif
    return here;
}

#if defined(__x86_64__)

static inline uintptr_t context_stack(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}

/* `syscall` is 0f 05. */
static inline bool context_sees_eintr(const ucontext_t *context)
{
    const uint8_t *next = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];

    return context->uc_mcontext.gregs[REG_RAX] == -EINTR && next[-2] == 0x0f && next[-1] == 0x05;
}

static inline bool context_restarts(const ucontext_t *context)
{
    const uint8_t *next = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];

    return next[0] == 0x0f && next[1] == 0x05;
}

/* A call that the kernel would restart fails with EINTR instead. */
static inline void context_interrupt(ucontext_t *context)
{
    if (context_restarts(context)) {
        context->uc_mcontext.gregs[REG_RAX] = -EINTR;
        context->uc_mcontext.gregs[REG_RIP] += 2;
    }
}

#elif defined(__aarch64__)

static inline uintptr_t context_stack(const ucontext_t *context)
{
    return (uintptr_t)context->uc_mcontext.sp;
}

/* `svc #0` is d4000001. */
static inline bool context_sees_eintr(const ucontext_t *context)
{
    const uint32_t *next = (const uint32_t *)context->uc_mcontext.pc;

    return (long)context->uc_mcontext.regs[0] == -EINTR && next[-1] == 0xd4000001;
}

static inline bool context_restarts(const ucontext_t *context)
{
    return *(const uint32_t *)context->uc_mcontext.pc == 0xd4000001;
}

static inline void context_interrupt(ucontext_t *context)
{
    if (context_restarts(context)) {
        context->uc_mcontext.regs[0] = (unsigned long long)-EINTR;
        context->uc_mcontext.pc += 4;
    }
}

#else /* unknown: any EINTR may be ours, and no place is safe to start a thread from a handler */

static inline uintptr_t context_stack(const ucontext_t *context)
{
    (void)context;
    return 0;
}

static inline bool context_sees_eintr(const ucontext_t *context)
{
    (void)context;
    return true;
}

static inline bool context_restarts(const ucontext_t *context)
{
    (void)context;
    return false;
}

static inline void context_interrupt(ucontext_t *context)
{
    (void)context;
}

#endif

#endif
