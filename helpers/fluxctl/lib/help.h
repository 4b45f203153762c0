/* SPDX-License-Identifier: MIT */
/* The help, made from the tables. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_LIB_HELP_H
#define FLUXCTL_LIB_HELP_H

#include "command.h"

void help_of_all(void);
void help_of(const struct command *command);

#endif
