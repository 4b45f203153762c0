/* SPDX-License-Identifier: MIT */
/* A stop that the program asks for itself: flux_trigger() of fluxshim.h. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * It is a managed signal with a value that says so, sent to this process, or to its parent if that
 * is the family's owner. The handler (hold.c) takes it for a stop, whoever sends it: a demand of a
 * member is no master's business with its worker.
 */
#ifndef FLUXSHIM_SIGSAFE_DEMAND_H
#define FLUXSHIM_SIGSAFE_DEMAND_H

#include <signal.h>
#include <stdbool.h>

/* 0, -ENOTCONN if no signal is held here, -EALREADY if one is already, or -errno. */
int demand_send(void);

bool demand_is(const siginfo_t *info);

#endif
