/* SPDX-License-Identifier: MIT */
/* The periodic checkpoint's clock in a single-threaded program, and requests for one. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A threaded program has a coordinator, which looks at the time itself. A single-threaded one gets a
 * kernel timer that raises the family's own signal (tell.h): its handler posts LIFE_TICK, and the next
 * safe point starts the coordinator's thread, which writes and ends (safepoint.h). A wait that the
 * tick interrupts is repeated, like any that the shim's handlers interrupt.
 *
 * Timers aren't inherited by fork: each member makes its own, since it may become the owner
 * (daemon(3)), and only the owner's ticks mean anything. exec drops timer and pending tick.
 */
#ifndef FLUXSHIM_SIGSAFE_SAVING_H
#define FLUXSHIM_SIGSAFE_SAVING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* While arming: how often, 0: never. */
void saving_install(int64_t interval_ns);

/* In a forked member: the same as its parent. */
void saving_go_on_in_child(void);

/* Before the program's dispositions become real: no tick comes from here on, and none is pending. */
void saving_stop(void);

/* The family's signal may be a tick of that timer. */
bool saving_is_tick(const siginfo_t *info);

/* Its time has come, or somebody asks for one. False if there is nothing to be written now. */
bool saving_tick(void);
bool saving_request(void);

#endif
