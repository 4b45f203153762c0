/* SPDX-License-Identifier: MIT */
/* The hooks: told of each phase, run by priority at the end. */
/* Context: coordinator thread only; may allocate and block. */

/*
 *     hooks_tell(&event, ours, false);        at each phase; doesn't wait
 *     hooks_run(&record, ours, deadline);     cleanup of all, then save of all
 *     hooks_end(deadline);                    before the release
 *
 * fluxshim.h says what is called when. Each hook has a thread of its own (hook_thread.h), made at
 * the first call of a shutdown; init, restore and the first event run in the arming thread
 * (hook_guard.h).
 *
 * One that hangs, crashes or exits gets no further calls. One that couldn't be loaded has a row
 * "not run" in the record.
 */
#ifndef FLUXSHIM_ENGINE_HOOKS_H
#define FLUXSHIM_ENGINE_HOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/hook_list.h"
#include "engine/record.h"
#include "fluxshim.h"

/* Does any of them hear events? */
bool hooks_hear(enum hooks_ours ours);

/* `repeated`: it may be left out where a hook hasn't taken the last one yet. */
void hooks_tell(const struct flux_event *event, enum hooks_ours ours, bool repeated);

/* Fill in record->hooks in the order of running. Nothing goes on past deadline_ns. */
void hooks_run(struct record *record, enum hooks_ours ours, int64_t deadline_ns);

/*
 * The same for a server that goes on: save of all, and rows with the status "serving". Nothing goes on
 * past deadline_ns.
 */
void hooks_save(struct record *record, int64_t deadline_ns);

/* Is there a thread of any of them, one that was left behind included? */
bool hooks_have_threads(void);

/* How long those of scope process may take in a member, 0: there are none. */
int64_t hooks_time_of_process(void);

/* Their threads end, and those that don't by then are left behind. */
void hooks_end(int64_t deadline_ns);

/* For LIFE_PAUSE: those that wait for a call end as well, and begin anew with the next one. */
void hooks_pause(int64_t deadline_ns);

/* In a forked child: the threads are the parent's. */
void hooks_forget_threads(void);

#endif
