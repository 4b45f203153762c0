/* SPDX-License-Identifier: MIT */
/* Hooks of scope process in a family: each member runs its own before the owner goes on. */
/* Context: coordinator thread only; blocks in family_hooks_await(). */

/*
 * When the drain of the family is over, its owner announces the hooks. Members that were told run
 * theirs at the same time as the owner, say so, and wait for the release; a member that had to force
 * its connections runs them without waiting for the announcement.
 */
#ifndef FLUXSHIM_ENGINE_FAMILY_HOOKS_H
#define FLUXSHIM_ENGINE_FAMILY_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

/* The owner's side; both do nothing elsewhere. */
void family_hooks_announce(void);
void family_hooks_await(int64_t deadline_ns);

/* A member's: it has run its own, and the owner needn't wait for it. */
void family_hooks_done(void);

#endif
