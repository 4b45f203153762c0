/* SPDX-License-Identifier: MIT */
/* What the completions of the shells are made of. */
/* Context: a program of one thread. */

/*
 * A script is made of one description: for each command its options, and what an option's value and
 * an argument are. Servers are asked for when they are needed, by `fluxctl list --quiet`.
 */
#ifndef FLUXCTL_COMMANDS_COMPLETION_H
#define FLUXCTL_COMMANDS_COMPLETION_H

#include "command.h"

#define COMPLETION_PIDS "fluxctl list --quiet 2>/dev/null"

/* "auto|always|never": a value is one of these. "PID|FILE", in capitals, is not meant. */
bool completion_is_choice(const char *argument);
void completion_print_choice(const char *argument, char between);

/* The names of all commands, with blanks between them. */
void completion_print_commands(void);

/* For each option of a command, those of every command included. */
typedef void completion_visit(const struct command *command, const struct option_row *row);
void completion_each_option(const struct command *command, completion_visit *visit);

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);

#endif
