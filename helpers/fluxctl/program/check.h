/* SPDX-License-Identifier: MIT */
/* Will a preload work in a program? From its file alone: nothing is executed. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_PROGRAM_CHECK_H
#define FLUXCTL_PROGRAM_CHECK_H

#include "program/report.h"

/*
 * `name` as execvp(3) takes it. The report is to be freed in any case. -ENOENT: no such file; -EACCES or -EPERM: it can't be
 * read; another -errno: it can't be looked at. What is found is no error.
 */
int check_program(const char *name, struct report *ret_report);

#endif
