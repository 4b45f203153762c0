/* SPDX-License-Identifier: MIT */
/* Starts the command, gathers its output, and sees to it that it ends. */
/* Context: in a child that shares all memory with the server: no libc call that could be wrapped. */
#include "exec/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "lib/clock.h"

#define GRACE_MS 500     /* from SIGTERM to SIGKILL */
#define FDS_MOST 1048576 /* without close_range(2): closed one by one up to here */

/* Its descriptors. */
enum { OUTPUT_FD = 3, SIGNAL_FD = 4, PARKED_FD = 10 };

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
    /* What the command leaves behind isn't the server's to reap, if that is PID 1 of a container. */
    job->call(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
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

/* Until no child of that group is left. One that runs as another user can't be made to end. */
static void guard_reap_group(struct job *job)
{
    int64_t deadline = clock_after(GRACE_MS);
    struct pollfd entry = {.fd = SIGNAL_FD, .events = POLLIN};
    const struct timespec moment = {.tv_nsec = 20000000};
    long ended = 0;

    while (ended >= 0 && clock_left(deadline) > 0) {
        ended = job->call(SYS_wait4, -job->child, NULL, WNOHANG | __WALL, NULL);
        if (ended == 0) {
            job->call(SYS_ppoll, &entry, 1, &moment, NULL, SIGSET_SIZE);
            (void)guard_server_gone(job);
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
    guard_reap_group(job);
    while (job->call(SYS_wait4, -1, NULL, WNOHANG | __WALL, NULL) > 0) {
        /* left its group, and has ended since */
    }
}

int guard_main(void *argument)
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
