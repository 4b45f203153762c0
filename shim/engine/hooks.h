/* SPDX-License-Identifier: MIT */
/* The hooks: opened when the process arms, told of each phase, run by priority at the end. */
/* Context: hooks_load(): the arming thread; the rest: the coordinator's. May allocate and block. */

/*
 *     hooks_load(&entries, before, ours);     while arming; again in a child that arms
 *     hooks_tell(&event, ours, false);        at each phase; doesn't wait
 *     hooks_run(&record, ours, deadline);     cleanup of all, then save of all
 *     hooks_end(deadline);                    before the release
 *
 * fluxshim.h says what is called when. Each hook has a thread of its own (hook_thread.h), made at
 * the first call of a shutdown; init, restore and the first event run in the arming thread
 * (hook_guard.h).
 *
 * `ours` is which of them this process calls: in a family, those of scope family run in its owner
 * only. A hook that can't be loaded costs only itself: one line in the log, and a row "not run" in
 * the record. One that hangs, crashes or exits gets no further calls.
 */
#ifndef FLUXSHIM_ENGINE_HOOKS_H
#define FLUXSHIM_ENGINE_HOOKS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/hooks_config.h"
#include "engine/record.h"
#include "fluxshim.h"

enum hooks_ours { HOOKS_ALL, HOOKS_OF_PROCESS };

/*
 * Takes the place of an earlier list. `before` is the array "hooks" of the last checkpoint, or NULL.
 * Those that aren't `ours` (this program was exec'd by a member of its family) are never called. 0,
 * or -ENOMEM: then there are no hooks.
 */
int hooks_load(const struct hook_entries *entries, const cJSON *before, enum hooks_ours ours);

/* Does any of them hear events? */
bool hooks_hear(enum hooks_ours ours);

/* `repeated`: it may be left out where a hook hasn't taken the last one yet. */
void hooks_tell(const struct flux_event *event, enum hooks_ours ours, bool repeated);

/* Fill in record->hooks in the order of running. Nothing goes on past deadline_ns. */
void hooks_run(struct record *record, enum hooks_ours ours, int64_t deadline_ns);

/* How long those of scope process may take in a member, 0: there are none. */
int64_t hooks_time_of_process(void);

/* Their threads end, and those that don't by then are left behind. */
void hooks_end(int64_t deadline_ns);

/* For LIFE_PAUSE: those that wait for a call end as well, and begin anew with the next one. */
void hooks_pause(int64_t deadline_ns);

/* In a forked child: the threads are the parent's. */
void hooks_forget_threads(void);

#endif
