/* SPDX-License-Identifier: MIT */
/* Who is told of each phase: the hooks with an event, and the program's own subscribers. */
/* Context: coordinator thread only; may allocate, blocks for a moment at the end. */
#ifndef FLUXSHIM_ENGINE_AUDIENCE_H
#define FLUXSHIM_ENGINE_AUDIENCE_H

#include <stdint.h>

#include "engine/fsm.h"
#include "engine/hook_list.h"

/* Which hooks are this process's to call. */
enum hooks_ours audience_ours(void);

/* The state is a new one: publish it as life->phase, and tell everybody. Doesn't wait. */
void audience_tell(const struct fsm *fsm, int64_t now);

/* The drain goes on: tell it again when its time has come, which audience_next_ns() says. */
void audience_tell_again(const struct fsm *fsm, int64_t now);
int64_t audience_next_ns(void);

/*
 * The last event has come: their threads end, or are left behind, and nothing of theirs stands in the
 * program's way from here on.
 */
void audience_end(void);

/* The program is about to do what only a process with one thread may do. */
void audience_pause(void);

/* A periodic checkpoint is written: nothing of the hooks' stays in the program's way. */
void audience_end_saving(void);

/* In a forked child: the threads are the parent's. */
void audience_forget(void);

#endif
