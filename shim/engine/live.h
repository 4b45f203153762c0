/* SPDX-License-Identifier: MIT */
/* One line at a person's terminal that tells how far a drain is. */
/* Context: coordinator thread only; never blocks. */

/*
 * Shown only while descriptor 2 is still the stderr that the program started with and is a
 * terminal: a log or a pipe never gets it. Each text takes the place of the one before, cut to
 * the terminal's width; a terminal that is stopped (Ctrl-S) or full is not waited for.
 */
#ifndef FLUXSHIM_ENGINE_LIVE_H
#define FLUXSHIM_ENGINE_LIVE_H

#include <stdint.h>

/*
 * "fluxshim: draining, 3 connections left, 27 s", for the phase "draining". Written when it has
 * changed, at most ten times a second: call it as often as you like, and again a while later.
 */
void live_show(const char *phase, uint64_t left, int64_t seconds_left);

/* Erase it. To be called before the release and before each line to the log. */
void live_clear(void);

#endif
