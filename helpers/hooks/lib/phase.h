/* SPDX-License-Identifier: MIT */
/* The names of the phases as configurations have them, and when something set for one is due. */
/* Context: pure. */
#ifndef FLUXSHIM_HOOKS_PHASE_H
#define FLUXSHIM_HOOKS_PHASE_H

#include <stdbool.h>

#include "fluxshim.h"

/* By enum flux_phases, NULL at the end. */
extern const char *const phase_names[];

/*
 * Whether what is set for the phase `when` is due in `phase`. Phases may be left out (no lame duck,
 * nothing to force): then it is due in the next one that comes. What is set for RUNNING is for
 * RUNNING alone: a file that says "ready" must not appear when the stop begins.
 */
bool phase_is_due(int when, int phase);

#endif
