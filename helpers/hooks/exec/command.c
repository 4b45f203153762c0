/* SPDX-License-Identifier: MIT */
/* The guard, the command, and what the hook's thread does around them. */
/* Context: command_run blocks; guard_* and child_* run in a child that shares all memory. */
#include "exec/command.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

#define STACK_BYTES 65536
#define GRACE_MS    500     /* from SIGTERM to SIGKILL */
#define FDS_MOST    1048576 /* without close_range(2): closed one by one up to here */
#define SIGSET_SIZE 8       /* the kernel's */

/* The guard's descriptors. */
enum { OUTPUT_FD = 3, SIGNAL_FD = 4, PARKED_FD = 10 };

typedef int clone_function(int (*)(void *), void *, int, void *, ...);
typedef long syscall_function(long, ...);

/* In shared memory: also where children get a copy of all else (valgrind), their results arrive. */
struct job {
    const struct command *command;
    clone_function *clone;
    syscall_function *call;
    int null_fd;
    int pipe[2];
    pid_t server;
    pid_t child;
    int64_t deadline;
    int error; /* errno of what failed before the command ran */
    struct command_result result;
    _Alignas(64) char guard_stack[STACK_BYTES];
    _Alignas(64) char child_stack[STACK_BYTES];
};

/* ---- the command, up to its execve ---- */

/* A handler must not run here: it would be the server's, in the server's memory. */
static void child_reset_signals(struct job *job)
{
    static const unsigned long defaults[8]; /* all zero: SIG_DFL, no flags, no mask */
    static const unsigned long none[2];

    for (int i = 1; i < _NSIG; i++) {
        job->call(SYS_rt_sigaction, i, defaults, NULL, SIGSET_SIZE);
    }
    job->call(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, SIGSET_SIZE);
}

static int child_main(void *argument)
{
    struct job *job = argument;
    const struct command *command = job->command;

    child_reset_signals(job);
    job->call(SYS_setpgid, 0, 0);
    job->call(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0,
              0); /* who would end it without the guard? */
    if (job->call(SYS_chdir, command->cwd) == 0) {
        job->call(SYS_execve, command->argv[0], command->argv, command->envp);
    }
    job->error = errno;
    job->call(SYS_exit_group, 127);
    return 0;
}

/* ---- the guard ---- */

/* Of the server's descriptors none stays: a copy would hold its peers' connections open. */
static void guard_take_descriptors(struct job *job)
{
    int null_fd = (int)job->call(SYS_fcntl, job->null_fd, F_DUPFD, PARKED_FD);
    int from = (int)job->call(SYS_fcntl, job->pipe[0], F_DUPFD, PARKED_FD);
    int to = job->command->keeps_output
                 ? (int)job->call(SYS_fcntl, job->pipe[1], F_DUPFD, PARKED_FD)
                 : null_fd;
    struct rlimit limit = {.rlim_cur = 1024};

    job->call(SYS_dup3, null_fd, 0, 0);
    job->call(SYS_dup3, to, 1, 0);
    job->call(SYS_dup3, to, 2, 0);
    job->call(SYS_dup3, from, OUTPUT_FD, O_CLOEXEC);
    if (job->call(SYS_close_range, OUTPUT_FD + 1, ~0u, 0) == 0) {
        return;
    }
    job->call(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    for (int fd = OUTPUT_FD + 1; fd < FDS_MOST && (rlim_t)fd < limit.rlim_cur; fd++) {
        job->call(SYS_close, fd);
    }
}

/* Learns of its child's end, and (SIGHUP) of the server's. False if that is over already. */
static bool guard_watch(struct job *job)
{
    const unsigned long mask[2] = {1ul << (SIGCHLD - 1) | 1ul << (SIGHUP - 1)};
    int fd = (int)job->call(SYS_signalfd4, -1, mask, SIGSET_SIZE, SFD_CLOEXEC | SFD_NONBLOCK);

    if (fd < 0 || (fd != SIGNAL_FD && job->call(SYS_dup3, fd, SIGNAL_FD, O_CLOEXEC) < 0)) {
        job->error = errno;
        return false;
    }
    job->call(SYS_setpgid, 0, 0); /* what is sent to the server's group isn't meant for it */
    job->call(SYS_prctl, PR_SET_NAME, "hook-exec", 0, 0, 0);
    job->call(SYS_prctl, PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
    return job->call(SYS_getppid) == job->server;
}

/* False when there is nothing more for now. */
static bool guard_read(struct job *job)
{
    struct command_result *result = &job->result;
    char waste[512];
    size_t room = sizeof(result->output) - result->output_length;
    char *into = room > 0 ? result->output + result->output_length : waste;
    long n = job->call(SYS_read, OUTPUT_FD, into, room > 0 ? room : sizeof(waste));

    if (n <= 0) {
        return false;
    }
    *(room > 0 ? &result->output_length : &result->output_lost) += (size_t)n;
    return true;
}

/* It stays a zombie, so that its number stays that of its group. */
static bool guard_child_ended(struct job *job)
{
    siginfo_t info;

    info.si_pid = 0;
    job->call(SYS_waitid, P_PID, job->child, &info, WEXITED | WNOHANG | WNOWAIT, NULL);
    return info.si_pid == job->child;
}

static bool guard_server_gone(struct job *job)
{
    struct signalfd_siginfo info;
    bool gone = false;

    while (job->call(SYS_read, SIGNAL_FD, &info, sizeof(info)) == sizeof(info)) {
        gone |= info.ssi_signo == SIGHUP;
    }
    return gone;
}

static void guard_wait(struct job *job, int64_t deadline)
{
    struct pollfd entries[2] = {{.fd = OUTPUT_FD, .events = POLLIN},
                                {.fd = SIGNAL_FD, .events = POLLIN}};
    int left = clock_left(deadline);
    struct timespec timeout = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000L};

    job->call(SYS_ppoll, entries, 2, &timeout, NULL, SIGSET_SIZE);
}

/* Until the child has ended: at its deadline it is asked to, and later made to. */
static void guard_see_it_through(struct job *job)
{
    int64_t deadline = job->deadline;
    int signals[] = {SIGTERM, SIGKILL}, sent = 0;

    while (!guard_child_ended(job)) {
        guard_wait(job, deadline);
        while (guard_read(job) && clock_left(deadline) > 0) {
        }
        if (guard_server_gone(job)) {
            deadline = 0;
        }
        if (clock_left(deadline) == 0 && sent < 2) {
            job->result.timed_out = true;
            job->call(SYS_kill, -job->child, signals[sent++]);
            deadline = clock_after(GRACE_MS);
        } else if (sent == 2) {
            deadline = clock_after(GRACE_MS);
        }
    }
}

/* What the command has left running in its group ends with it. */
static void guard_clean_up(struct job *job)
{
    for (int i = 0; i < COMMAND_OUTPUT && guard_read(job); i++) {
    }
    job->call(SYS_kill, -job->child, SIGKILL);
    job->call(SYS_wait4, job->child, &job->result.wait_status, 0, NULL);
}

static int guard_main(void *argument)
{
    struct job *job = argument;

    guard_take_descriptors(job);
    if (guard_watch(job)) {
        job->child = job->clone(child_main, job->child_stack + STACK_BYTES,
                                CLONE_VM | CLONE_VFORK | SIGCHLD, job);
        if (job->child > 0) {
            guard_see_it_through(job);
            guard_clean_up(job);
        } else {
            job->error = errno;
        }
    }
    job->call(SYS_exit_group, 0);
    return 0;
}

/* ---- the hook's thread ---- */

static void *of_libc(void *libc, const char *name, void *otherwise)
{
    void *symbol = libc ? dlsym(libc, name) : NULL;

    return symbol ? symbol : otherwise;
}

/* libc's own, behind what a preloaded library may have put in front. */
static void find_calls(struct job *job)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *symbol = of_libc(libc, "clone", (void *)clone);

    memcpy(&job->clone, &symbol, sizeof(symbol)); /* dlsym(3): ISO C has no such cast */
    symbol = of_libc(libc, "syscall", (void *)syscall);
    memcpy(&job->call, &symbol, sizeof(symbol));
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
    find_calls(job);
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
