/* SPDX-License-Identifier: MIT */
/* Watches the connections that remain, nudges the idle ones, and says when none is left. */
/* Context: coordinator thread only; may allocate; makes system calls, never waits. */

/*
 * A connection is in flight while its peer is owed something: unread input, unsent output, a
 * request read and not answered, a response known to be incomplete. Otherwise it is idle, and once
 * it has been quiet for long enough it is nudged: shutdown(fd, SHUT_RD) makes the program read an
 * end of file and close in its own way (data already queued is still read).
 *
 *     last HTTP/1 response complete                              50 ms
 *     a read attempted after the write, or the program has shut down its side    FLUX_IDLE
 *     written only, or nothing said yet                          3 x FLUX_IDLE
 *
 * The quiet time is taken from TCP's own clocks where it began before the drain, and shrinks in
 * the last quarter of the drain timeout, so that a busy keep-alive client can't hold the drain.
 *
 * Order of calls: drain_begin(), then drain_sweep() whenever the bell rings or `next_ns` has come,
 * until it says empty; drain_force() if the time is over.
 */
#ifndef FLUXSHIM_ENGINE_DRAIN_H
#define FLUXSHIM_ENGINE_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/record.h"

struct drain_view {
    size_t left;     /* connections that still exist */
    bool empty;      /* none, and none can come any more */
    int64_t next_ns; /* when to look again, CLOCK_MONOTONIC */
};

/* In a forked child: what is remembered is the parent's, and may be half written. */
void drain_forget(void);

/* Look for connections and listeners that the table misses; count what is there. */
void drain_begin(struct record *record, int64_t now);

/* One look at everything. `deadline_ns` is when the drain ends, `timeout_ns` how long it was. */
void drain_sweep(int64_t now, int64_t deadline_ns, int64_t timeout_ns, struct drain_view *ret_view);

/* End what remains without destroying what is on its way; fills record->remaining. */
void drain_force(struct record *record);

/* Has all forced output been acknowledged? */
bool drain_flushed(void);

/* Connections in this process's table, as they are now. */
uint64_t drain_count(void);

/* Counters and listeners into the record; may be called at any time. */
void drain_account(struct record *record);

#endif
