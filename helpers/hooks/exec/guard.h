/* SPDX-License-Identifier: MIT */
/* The process between the server and the command: command.h says why there is one. */
/* Context: in a child that shares all memory with the server, whose thread is suspended. */
#ifndef FLUXSHIM_HOOKS_EXEC_GUARD_H
#define FLUXSHIM_HOOKS_EXEC_GUARD_H

#include <stdint.h>
#include <sys/types.h>

#include "exec/command.h"

#define STACK_BYTES 65536
#define SIGSET_SIZE 8 /* the kernel's */

typedef int clone_function(int (*)(void *), void *, int, void *, ...);
typedef long syscall_function(long, ...);

/* In shared memory: also where children get a copy of all else (valgrind), their results arrive. */
struct job {
    const struct command *command;
    clone_function *clone;
    syscall_function *call;
    int null_fd;
    int pipe[2]; /* the command's output; the reading end doesn't block */
    pid_t server;
    pid_t child; /* the command */
    int64_t deadline;
    int error; /* errno of what failed before the command ran */
    struct command_result result;
    _Alignas(64) char guard_stack[STACK_BYTES];
    _Alignas(64) char child_stack[STACK_BYTES];
};

/* For clone(2), with a struct job as argument. It doesn't return: its process ends. */
int guard_main(void *argument);

#endif
