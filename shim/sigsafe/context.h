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

/*
 * A system call that has just come back: its second and third argument, which the kernel leaves in their
 * registers, and its result. Nothing matches a result of 0.
 */
struct context_call {
    uint32_t second, third; /* the lower halves */
    long result;
    bool is_any; /* this processor tells nothing: it may be any call, with any result */
};

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

/* The number of a call that the kernel restarts, or that is about to be made. */
static inline long context_number(const ucontext_t *context)
{
    return (long)context->uc_mcontext.gregs[REG_RAX];
}

static inline struct context_call context_call(const ucontext_t *context)
{
    const greg_t *registers = context->uc_mcontext.gregs;
    const uint8_t *next = (const uint8_t *)registers[REG_RIP];
    bool is_behind = next[-2] == 0x0f && next[-1] == 0x05;

    return (struct context_call){.second = (uint32_t)registers[REG_RSI],
                                 .third = (uint32_t)registers[REG_RDX],
                                 .result = is_behind ? (long)registers[REG_RAX] : 0};
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

static inline long context_number(const ucontext_t *context)
{
    return (long)context->uc_mcontext.regs[8];
}

static inline struct context_call context_call(const ucontext_t *context)
{
    const uint32_t *next = (const uint32_t *)context->uc_mcontext.pc;

    return (struct context_call){
        .second = (uint32_t)context->uc_mcontext.regs[1],
        .third = (uint32_t)context->uc_mcontext.regs[2],
        .result = next[-1] == 0xd4000001 ? (long)context->uc_mcontext.regs[0] : 0};
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

static inline long context_number(const ucontext_t *context)
{
    (void)context;
    return -1;
}

static inline struct context_call context_call(const ucontext_t *context)
{
    (void)context;
    return (struct context_call){.is_any = true};
}

static inline void context_interrupt(ucontext_t *context)
{
    (void)context;
}

#endif

#endif
