/* SPDX-License-Identifier: MIT */
/* Runs the program named by --helper, in each way that a server may start one. */
#define _GNU_SOURCE 1
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "content.h"
#include "options.h"
#include "stop.h"
#include "util.h"

extern char **environ;

static void become_helper(int output)
{
    dup2(output, STDOUT_FILENO);
    execl("/bin/sh", "sh", "-c", opt.helper, (char *)NULL);
    _exit(127);
}

static pid_t start_by_fork(int output)
{
    pid_t pid = fork();

    if (pid == 0)
        become_helper(output);
    return pid;
}

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* vfork is what is tested */
static pid_t start_by_vfork(int output)
{
    pid_t pid = vfork();

    if (pid == 0)
        become_helper(output); /* NOLINT(clang-analyzer-unix.Vfork): as servers do */
    return pid;
}

static pid_t start_by_spawn(int output)
{
    char *argv[] = {"sh", "-c", (char *)opt.helper, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    errno = posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return errno == 0 ? pid : -1;
}

/* system() waits by itself: what the program prints must fit into the pipe. The shell may not know
 * numbers above 9 in `>&N`. */
static void run_by_system(int output)
{
    char command[1024];

    snprintf(command, sizeof command, "( %s ) >/dev/fd/%d", opt.helper, output);
    fcntl(output, F_SETFD, 0);
    if (system(command) < 0)
        die("system");
}

static void read_all(int fd, struct buffer *output)
{
    ssize_t got;

    for (;;) {
        got = read(fd, buffer_room(output, 4096), 4096);
        if (got == 0 || (got < 0 && errno != EINTR))
            return;
        if (got < 0)
            stop_interrupted();
        else
            output->len += (size_t)got;
    }
}

static void reap(pid_t pid)
{
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        stop_interrupted();
}

static pid_t start(const char *target, int output)
{
    if (content_word_is(target, "how", "vfork"))
        return start_by_vfork(output);
    if (content_word_is(target, "how", "spawn"))
        return start_by_spawn(output);
    return start_by_fork(output);
}

void helper_run(const char *target, struct buffer *output)
{
    int ends[2];
    pid_t pid = 0;

    if (!opt.helper) {
        buffer_printf(output, "no helper\n");
        return;
    }
    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe2");
    if (content_word_is(target, "how", "system"))
        run_by_system(ends[1]);
    else if ((pid = start(target, ends[1])) < 0)
        die("helper");
    close(ends[1]);
    read_all(ends[0], output);
    close(ends[0]);
    if (pid > 0)
        reap(pid);
}
