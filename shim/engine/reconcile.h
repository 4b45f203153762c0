/* SPDX-License-Identifier: MIT */
/* Finds connections that the table misses. */
/* Context: coordinator thread only; may allocate; opens /proc/self/fd for a moment. */
#ifndef FLUXSHIM_ENGINE_RECONCILE_H
#define FLUXSHIM_ENGINE_RECONCILE_H

/*
 * Record every socket of this process whose local address is a listener's and that the table
 * doesn't know: accepted by io_uring or a raw system call, passed by a parent, duplicated
 * unseen. A duplicate of a known one (same SO_COOKIE) is none. Without /proc the descriptors up to
 * the highest known one and some more are tried.
 */
void reconcile_connections(void);

#endif
