/* SPDX-License-Identifier: MIT */
/* The JSON document that tells of one shutdown, or of a server that goes on. */
/* Context: coordinator thread only; may allocate and block. */

/*
 * Times are milliseconds with microsecond decimals since the shutdown began, wall-clock times RFC
 * 3339 in UTC; text from outside is made valid UTF-8, each bad byte becoming U+FFFD. What doesn't
 * apply (a signal where the program ended by itself, the duration of the phase that still lasts)
 * is null.
 */
#ifndef FLUXSHIM_ENGINE_DOCUMENT_H
#define FLUXSHIM_ENGINE_DOCUMENT_H

#include "engine/lifetime.h"
#include "engine/record.h"

#define DOCUMENT_SCHEMA "fluxshim/1"

/* To be freed with cJSON_free(); NULL without memory. */
char *document_text(const struct record *record, uint64_t generation,
                    const struct lifetime *lifetime);

/* When a process began, in clock ticks since the machine did; 0 if it is gone. */
int64_t document_start_ticks(pid_t pid);

#endif
