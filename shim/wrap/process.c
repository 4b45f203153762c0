/* SPDX-License-Identifier: MIT */
/* Threads, exit, clone, namespaces and seccomp: what changes the process itself. */
/* Context: AS-Safe where the call is, MT-Safe; pthread_create may start the coordinator. */
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <threads.h>
#include <unistd.h>

#include "sigsafe/crash.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/hold.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "wrap/wrap.h"

/*
 * With its first other thread a program may block the signal here and wait for it there: masks
 * become real, and the coordinator (one thread more costs nothing now) takes what all block.
 */
static void thread_comes(void)
{
    bool of_hook = atomic_load(&life->masks_virtual) && !life_thread.owns_masks;

    if (of_hook || atomic_exchange(&life->threads, 1) != 0) {
        return; /* a hook's thread is none of the program's */
    }
    if (!life_armed() || life_released() || atomic_load(&life->finished)) {
        return;
    }
    if (safepoint_start() != 0) {
        hold_abandon(); /* nobody would take a signal that all threads block */
        return;
    }
    life_post(LIFE_THREADS);
    sigdisp_masks_become_real();
}

WRAP int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                        real_thread_body body, void *restrict argument)
{
    thread_comes();
    return real.pthread_create(thread, attributes, body, argument);
}

WRAP int thrd_create(thrd_t *thread, thrd_start_t body, void *argument)
{
    thread_comes();
    return real.thrd_create(thread, body, argument);
}

/* Exit ---------------------------------------------------------------------------------------- */

/*
 * exit() and a return from main come through the handler that arming registers. A hook's call ends
 * its thread, and that alone (crash.h).
 */
FORK_PATH WRAP void _exit(int status)
{
    crash_called("_exit", status);
    if (life_armed()) {
        life_gate.leave(status);
    }
    real._exit(status);
}

WRAP void _Exit(int status)
{
    _exit(status);
}

/* Poisoned names, so declared by their symbols. */
WRAP void exit_program(int status) __asm__("exit") __attribute__((noreturn));
WRAP void exit_quickly(int status) __asm__("quick_exit") __attribute__((noreturn));
WRAP void abort_program(void) __asm__("abort") __attribute__((noreturn));

void exit_program(int status)
{
    crash_called("exit", status);
    real.exit_program(status);
}

void exit_quickly(int status)
{
    crash_called("quick_exit", status);
    real.exit_quickly(status);
}

void abort_program(void)
{
    crash_called("abort", -1);
    real.abort_program();
}

WRAP void pthread_exit(void *result)
{
    crash_called("pthread_exit", -1);
    real.pthread_exit(result);
}

/* libc's own comes to pthread_exit() without passing the wrapper. */
WRAP void thrd_exit(int result)
{
    crash_called("thrd_exit", result);
    real.pthread_exit((void *)(intptr_t)result);
}

/* One thread only, please --------------------------------------------------------------------- */

WRAP int unshare(int flags)
{
    safepoint_pause();
    int result = real.unshare(flags);
    int saved = errno;

    safepoint_resume();
    errno = saved;
    return result;
}

WRAP int setns(int fd, int type)
{
    safepoint_pause();
    int result = real.setns(fd, type);
    int saved = errno;

    safepoint_resume();
    errno = saved;
    return result;
}

/* The child of a clone that copies memory begins here; `start` lies on its copy of the stack. */
struct clone_start {
    int (*body)(void *);
    void *argument;
};

static int clone_child(void *start)
{
    struct clone_start own = *(const struct clone_start *)start;

    life_gate.in_child();
    return own.body(own.argument);
}

static int clone_process(void *stack, int flags, struct clone_start *start, void *parent_tid,
                         void *tls, void *child_tid)
{
    safepoint_pause();
    life_gate.before_fork();
    int result = real.clone(clone_child, stack, flags, start, parent_tid, tls, child_tid);
    int saved = errno;

    life_gate.in_parent();
    family_after_fork(result);
    safepoint_resume();
    errno = saved;
    return result;
}

/* The program's own fork, vfork or thread; only what it can break is looked at. */
WRAP int clone(int (*body)(void *), void *stack, int flags, void *argument, ...)
{
    va_list args;

    va_start(args, argument);
    void *parent_tid = va_arg(args, void *);
    void *tls = va_arg(args, void *);
    void *child_tid = va_arg(args, void *);

    va_end(args);
    if (flags & CLONE_THREAD) {
        thread_comes();
        return real.clone(body, stack, flags, argument, parent_tid, tls, child_tid);
    }
    if (!(flags & CLONE_VM)) {
        struct clone_start start = {.body = body, .argument = argument};

        return clone_process(stack, flags, &start, parent_tid, tls, child_tid);
    }
    bool shares = (flags & CLONE_VFORK) && !(flags & CLONE_SETTLS);

    safepoint_pause();
    if (shares) {
        fdtab_vfork_begins();
        life_thread.in_vfork = 1;
    }
    int result = real.clone(body, stack, flags, argument, parent_tid, tls, child_tid);
    int saved = errno;

    if (shares) {
        life_thread.in_vfork = 0;
        fdtab_vfork_ends();
    }
    safepoint_resume();
    errno = saved;
    return result;
}

/* Inside a sandbox even a harmless system call of ours can kill: the program is on its own. */
static void enter_sandbox(void)
{
    if (life_armed() && !life_released()) {
        hold_abandon();
    }
    atomic_store(&life->sandboxed, 1);
    fdtab_shut();
    family_become_passive();
}

WRAP int prctl(int option, ...)
{
    va_list args;
    long values[4];

    va_start(args, option);
    for (int i = 0; i < 4; i++) {
        values[i] = va_arg(args, long);
    }
    va_end(args);
    bool is_probe = values[0] == SECCOMP_MODE_FILTER && values[1] == 0;

    if (option == PR_SET_SECCOMP && !is_probe && !life_thread.in_vfork) {
        enter_sandbox();
    }
    return real.prctl(option, values[0], values[1], values[2], values[3]);
}
