/* SPDX-License-Identifier: MIT */
/* The cleanup hooks: opened when the process arms, run by priority when it ends. */
/* Context: coordinator thread only; may allocate and block. */

/*
 *     hooks_load("/lib/db.so=10:/lib/files.so");          while arming; again in a child that arms
 *     hooks_run(&record, settings->hook_timeout, deadline);
 *
 * The list is FLUX_HOOKS: `path[=priority]` separated by colons, priorities 0 to 1000000, 100 if
 * none is given, lower ones first and equal ones in the order given. A `=` belongs to the path
 * unless a number follows it. A relative path is relative to the working folder of that moment.
 *
 * A hook that can't be loaded costs only itself: one line in the log, and a row "not run" in the
 * record. Each of the others runs on a thread of its own with every signal blocked. One that
 * doesn't return in time is left behind on its thread, and the next one runs.
 */
#ifndef FLUXSHIM_ENGINE_HOOKS_H
#define FLUXSHIM_ENGINE_HOOKS_H

#include <stdint.h>

#include "engine/record.h"

/* Takes the place of an earlier list. 0, or -ENOMEM: then there are no hooks. */
int hooks_load(const char *list);

/*
 * Run all, each for at most timeout_ns and none past deadline_ns (CLOCK_MONOTONIC), and fill in
 * record->hooks in the order of running.
 */
void hooks_run(struct record *record, int64_t timeout_ns, int64_t deadline_ns);

#endif
