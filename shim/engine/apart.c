/* SPDX-License-Identifier: MIT */
/* A child for as long as a function takes, with the same memory and no descriptors. */
/* Context: arming and coordinator thread; blocks the calling thread until the function is done. */
#include "engine/apart.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 65536

struct call {
    void (*function)(void *argument);
    void *argument;
};

static int body(void *argument)
{
    const struct call *call = argument;

    (void)syscall(SYS_close_range, 0, ~0u, 0);
    call->function(call->argument);
    syscall(SYS_exit, 0); /* not _exit(): that is a wrapper's name, and runs what an exit means */
    return 0;
}

static int run_on(char *stack, struct call *call)
{
    sigset_t all, before;
    int status, child, result;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    child = clone(body, stack + STACK, CLONE_VM | CLONE_VFORK, call);
    result = child < 0 ? -errno : 0;
    if (child > 0) {
        (void)waitpid(child, &status, __WCLONE);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

int apart_run(void (*function)(void *argument), void *argument)
{
    struct call call = {.function = function, .argument = argument};
    void *stack =
        mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    int result;

    if (stack == MAP_FAILED) {
        return -errno;
    }
    result = run_on(stack, &call);
    (void)munmap(stack, STACK);
    return result;
}
