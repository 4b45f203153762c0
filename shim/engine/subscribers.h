/* SPDX-License-Identifier: MIT */
/* Tells the program's own subscribers of each phase, as hooks are told. */
/* Context: coordinator thread only; may allocate and block. */

/*
 * Each has a thread of its own (hook_thread.h) from the first event on. It is never waited for but
 * at the end; one that hangs or crashes costs only itself.
 */
#ifndef FLUXSHIM_ENGINE_SUBSCRIBERS_H
#define FLUXSHIM_ENGINE_SUBSCRIBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "fluxshim.h"

/* As hooks_tell(), hooks_end(), hooks_pause() and hooks_forget_threads(). */
void subscribers_tell(const struct flux_event *event, bool repeated);
void subscribers_end(int64_t deadline_ns);
void subscribers_pause(int64_t deadline_ns);
void subscribers_forget(void);

#endif
