/* SPDX-License-Identifier: MIT */
/* Reads a command line by a command's table of options. */
/* Context: a program of one thread. */

/*
 * Long options may be abbreviated and joined with '=', as getopt_long(3) has it; "--" ends them. What is wrong
 * is said on stderr with the option's name, and leads to STATUS_USAGE, or what the command has in its place.
 */
#ifndef FLUXCTL_LIB_OPTIONS_H
#define FLUXCTL_LIB_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "command.h"

/* argv[0] is the command's name. STATUS_OK with *ret_help or a call to be run; or that it can't be. */
enum status options_read(const struct command *command, int argc, char **argv,
                         struct call *ret_call, bool *ret_help);
void options_free(struct call *call);

/*
 * The values of an option that repeats, in their order; NULL behind the last:
 *
 *     size_t at = 0;
 *     const char *value;
 *     while ((value = options_next(call, OPTION_HOOK, &at)) != NULL) ...
 */
const char *options_next(const struct call *call, size_t row, size_t *at);

/* How it is written behind the "--". */
enum { OPTION_NAME_SIZE = 64 };
const char *options_name(const struct option_row *row, char name[OPTION_NAME_SIZE]);

/* Those that every command has. */
extern const struct option_row options_everywhere[];
extern const size_t options_everywhere_count;

/* Values. False: it is said, with what is allowed, and the command returns STATUS_USAGE. */
bool options_pid(const char *text, pid_t *ret_pid);
bool options_duration(const char *option, const char *text, int64_t *ret_ns);

#endif
