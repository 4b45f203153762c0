/* SPDX-License-Identifier: MIT */
/* Programs by their names, and what a script is run by. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_PROGRAM_SCRIPT_H
#define FLUXCTL_PROGRAM_SCRIPT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { SCRIPT_HEAD = 256 }; /* what the kernel looks at (Linux 5.1, BINPRM_BUF_SIZE) */

struct script {
    char interpreter[PATH_MAX]; /* as it is to be looked up: a path, or a name behind env(1) */
    bool clears;                /* env -i, or -u LD_PRELOAD: a preload ends there */
};

/* As execvp(3) looks for it: a name without '/' along PATH. 0, -ENOENT, -EACCES or -ENAMETOOLONG. */
int script_find_program(const char *name, char ret_path[PATH_MAX]);

/* From the start of a file. False: it has no line "#!", or none that names anything. */
bool script_read(const char *head, size_t size, struct script *ret_script);

/* A name such as /bin/sh or dash. */
bool script_is_shell(const char *interpreter);

/*
 * In the text of a shell script, the last `exec PROGRAM` whose name stands there as it is, without variables. False:
 * none.
 */
bool script_execs(const char *text, char *ret_name, size_t size);

#endif
