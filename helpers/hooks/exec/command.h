/* SPDX-License-Identifier: MIT */
/* Runs a command from inside a server that must not notice: no SIGCHLD, no child for its wait(). */
/* Context: any thread, also of a program with many; blocks until the command has ended. */

/*
 *     hook's thread           guard                      command
 *     -------------           -----                      -------
 *     clone(exit signal 0) -> closes what it inherited
 *       (suspended)           clone(SIGCHLD) ----------> default signals, own group, execve
 *       (suspended)           gathers its output   <----
 *       (suspended)           ends its group at the deadline, or when the server is gone
 *     wait(__WCLONE)     <--- exits
 *
 * execve(2) makes SIGCHLD the exit signal of whoever calls it, so the command itself can't be the
 * server's child without being seen: the guard never executes anything and stays its parent. A
 * wait(2) that asks for neither __WCLONE nor __WALL doesn't see the guard.
 *
 * Processes that the command leaves behind become the guard's children (prctl(2),
 * PR_SET_CHILD_SUBREAPER) and not those of a server that is PID 1 or a subreaper itself. It reaps the
 * command's group; what has left the group lives on, and passes to whoever is next.
 *
 * Both share the server's memory (as vfork(2)'s child does): nothing is copied, however large the
 * server. What they write is one page range that is theirs. Every call they make goes straight to
 * libc, past any wrapper of a preloaded library: those would take them for the server.
 */
#ifndef FLUXSHIM_HOOKS_EXEC_COMMAND_H
#define FLUXSHIM_HOOKS_EXEC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_OUTPUT 32768

struct command {
    const char *const *argv; /* argv[0] is an absolute path; NULL at the end */
    const char *const *envp;
    const char *cwd;
    int64_t timeout_ms;
    bool keeps_output; /* else it goes to /dev/null */
};

struct command_result {
    int wait_status; /* as of wait(2) */
    bool timed_out;
    size_t output_length;
    size_t output_lost; /* bytes that came when `output` was full */
    char output[COMMAND_OUTPUT];
};

/*
 * Before the first command, in init: looks up libc's calls. Later another hook may hang in dlopen(3),
 * and hold the loader's lock for good.
 */
void command_prepare(void);

/* 0, or an errno value: it could not be run at all. */
int command_run(const struct command *command, struct command_result *ret_result);

#endif
