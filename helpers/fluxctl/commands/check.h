/* SPDX-License-Identifier: MIT */
/* What the ways of checking share: how a report is shown. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_COMMANDS_CHECK_H
#define FLUXCTL_COMMANDS_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

#include "command.h"
#include "program/report.h"

/* STATUS_OK if it works, with limits or without, else STATUS_NO. */
enum status check_show(const struct report *report, bool json);

/* Of a process that runs. STATUS_OK if it is armed, and its table misses no connection. */
enum status check_live(pid_t pid, const char *run_dir, bool json);

#endif
