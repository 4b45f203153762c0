/* SPDX-License-Identifier: MIT */
/* What the ways of checking share: how a report is shown. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_COMMANDS_CHECK_H
#define FLUXCTL_COMMANDS_CHECK_H

#include "command.h"
#include "program/report.h"

/* STATUS_OK if it works, with limits or without, else STATUS_NO. */
enum status check_show(const struct report *report, bool json);

#endif
