/* SPDX-License-Identifier: MIT */
/* What the hook's thread does around the guard: descriptors, signals, memory. */
/* Context: any thread, also of a program with many; blocks until the command has ended. */
#include "exec/command.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/guard.h"
#include "lib/clock.h"

static void *of_libc(void *libc, const char *name, void *otherwise)
{
    void *symbol = libc ? dlsym(libc, name) : NULL;

    return symbol ? symbol : otherwise;
}

/* libc's own, behind what a preloaded library may have put in front. */
static clone_function *libc_clone;
static syscall_function *libc_syscall;

void command_prepare(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *symbol = of_libc(libc, "clone", (void *)clone);

    memcpy(&libc_clone, &symbol, sizeof(symbol)); /* dlsym(3): ISO C has no such cast */
    symbol = of_libc(libc, "syscall", (void *)syscall);
    memcpy(&libc_syscall, &symbol, sizeof(symbol));
    if (libc) {
        dlclose(libc); /* it stays: everything needs it */
    }
}

/* 0 or an errno value: the guard was killed, say. */
static int wait_for_guard(struct job *job, pid_t guard)
{
    int status = 0;
    long ended;

    do {
        ended = job->call(SYS_wait4, guard, &status, __WCLONE, NULL);
    } while (ended < 0 && errno == EINTR);
    return ended < 0 ? errno : WIFEXITED(status) ? 0 : EINTR;
}

/* Signals stay blocked meanwhile, and by the kernel's mask: the guard inherits it. */
static int run_guard(struct job *job)
{
    const unsigned long all[2] = {~0ul, ~0ul};
    unsigned long before[2] = {0};
    pid_t guard;
    int error;

    job->call(SYS_rt_sigprocmask, SIG_SETMASK, all, before, SIGSET_SIZE);
    guard = job->clone(guard_main, job->guard_stack + STACK_BYTES, CLONE_VM | CLONE_VFORK, job);
    error = guard < 0 ? errno : wait_for_guard(job, guard);
    job->call(SYS_rt_sigprocmask, SIG_SETMASK, before, NULL, SIGSET_SIZE);
    return error ? error : job->error;
}

static int open_descriptors(struct job *job)
{
    job->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (job->null_fd < 0) {
        return errno;
    }
    if (pipe2(job->pipe, O_CLOEXEC) != 0) {
        int error = errno;

        close(job->null_fd);
        return error;
    }
    fcntl(job->pipe[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void close_descriptors(struct job *job)
{
    close(job->null_fd);
    close(job->pipe[0]);
    close(job->pipe[1]);
}

int command_run(const struct command *command, struct command_result *ret_result)
{
    struct job *job =
        mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int error;

    if (job == MAP_FAILED) {
        return errno;
    }
    job->command = command;
    job->server = getpid();
    job->deadline = clock_after(command->timeout_ms);
    job->clone = libc_clone;
    job->call = libc_syscall;
    error = open_descriptors(job);
    if (!error) {
        error = run_guard(job);
        close_descriptors(job);
    }
    if (!error) {
        *ret_result = job->result;
    }
    munmap(job, sizeof(*job));
    return error;
}
