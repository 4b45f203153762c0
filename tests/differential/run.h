/* SPDX-License-Identifier: MIT */
/* Executes a program of steps in this process. */
/* Context: the program that is compared. */

/*
 * The working folder has the files `steps` and `record`, and the steps make their own files there. A step
 * may replace the process by exec, which goes on with the next one: hence what is needed to go on is in
 * the arguments.
 */
#ifndef DIFFERENTIAL_RUN_H
#define DIFFERENTIAL_RUN_H

#include <stdbool.h>
#include <stddef.h>

struct run_arguments {
    size_t from, to; /* of the steps; to = 0: all that are left */
    bool trace;
    bool armed; /* an exec'd program whose process may have armed before */
    int depth;  /* of forks */
};

/* Returns the status to exit with. */
int run_steps(const struct run_arguments *arguments);

/* The same for a program that run_again() has made, from its arguments; false: it isn't one. */
bool run_parse(char **argv, struct run_arguments *ret_arguments);

#endif
