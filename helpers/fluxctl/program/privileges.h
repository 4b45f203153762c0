/* SPDX-License-Identifier: MIT */
/* Would the kernel start a program with AT_SECURE, in which ld.so(8) ignores LD_PRELOAD? */
/* Context: a program of one thread. */

/*
 * Of the caller, who is taken for the one that would start it: for root, whose ids don't change, nearly nothing is
 * privileged. security/commoncap.c and fs/exec.c of Linux are the source.
 */
#ifndef FLUXCTL_PROGRAM_PRIVILEGES_H
#define FLUXCTL_PROGRAM_PRIVILEGES_H

#include "program/report.h"

void privileges_look(struct report *report, int fd);

#endif
