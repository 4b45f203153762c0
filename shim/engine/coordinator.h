/* SPDX-License-Identifier: MIT */
/* The thread that carries a shutdown out. */
/* Context: coordinator thread only; may allocate and block. */

/*
 * It sleeps on life->bell. When it wakes it turns what has happened into events of the state
 * machine (engine/fsm.h), steps it, and does what a newly entered state means. All its state is
 * static, so that it can end for LIFE_PAUSE and be started again where it was.
 *
 * In a threaded program it keeps the managed signals open, for the case that every other thread
 * blocks them, and runs no handler but the shim's. In a single-threaded one it blocks everything.
 */
#ifndef FLUXSHIM_ENGINE_COORDINATOR_H
#define FLUXSHIM_ENGINE_COORDINATOR_H

#include "sigsafe/bridge.h"

/* Start afresh: while arming, and again in a child that arms. */
void coordinator_init(void);

/* The thread's body. */
void *coordinator_run(void *unused);

#endif
