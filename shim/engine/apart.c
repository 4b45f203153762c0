/* SPDX-License-Identifier: MIT */
/* A thread for as long as a function takes, with a descriptor table of its own. */
/* Context: arming and coordinator thread; blocks the calling thread until the function is done. */
#include "engine/apart.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK (256u << 10)
#define FLAGS                                                                                      \
    (CLONE_VM | CLONE_VFORK | CLONE_THREAD | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_FS | CLONE_FILES)

struct call {
    void (*function)(void *argument);
    void *argument;
    int error;
};

/* Only the first three are copied (Linux 5.9); before that, all of them. */
static bool leave_table(void)
{
    return syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_UNSHARE) == 0 || unshare(CLONE_FILES) == 0;
}

/* Where the program has closed one of these, a file must not become the log's stderr. */
static void fill_first_three(void)
{
    int fd = 0;

    while (fd >= 0 && fd < 3) {
        fd = open("/", O_PATH | O_CLOEXEC);
    }
    if (fd >= 3) {
        close(fd);
    }
}

static int body(void *argument)
{
    struct call *call = argument;

    if (leave_table()) {
        fill_first_three();
        call->function(call->argument);
    } else {
        call->error = -errno;
    }
    (void)syscall(SYS_exit, 0); /* of this thread: _exit() would be the process's */
    return 0;
}

static int run_on(char *stack, struct call *call)
{
    sigset_t all, before;
    int error = 0;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    if (clone(body, stack + STACK, FLAGS, call) < 0) {
        error = -errno;
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error != 0 ? error : call->error;
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
