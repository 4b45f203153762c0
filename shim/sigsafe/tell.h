/* SPDX-License-Identifier: MIT */
/* The family's own signal: how one member makes another drain. */
/* Context: AS-Safe, MT-Safe, never blocks; tell_install() is for arming only. */

/*
 * A realtime signal that nobody used when the family was founded, with a cookie. Not SIGTERM: of
 * that only one can be pending, and a master's own kill() would swallow a tell or be swallowed.
 * Its handler is inherited by fork and lost by exec; no mask of the program's closes it where the
 * shim can help it, and the sender looks into /proc/PID/status first (engine/members.c), so that it
 * never is left pending for a program that knows nothing of it.
 *
 * A member that has a coordinator already needs no signal, only its bell. What the signal does is to
 * start one, at a safe point (safepoint.h), in a process that may never have armed.
 */
#ifndef FLUXSHIM_SIGSAFE_TELL_H
#define FLUXSHIM_SIGSAFE_TELL_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Put the handler in place for the family's signal, or for one that is free if there is none yet (0).
 * While founding or joining the family. The signal, or -EBUSY: the program uses it; or -errno.
 */
int tell_install(int wanted);

/*
 * Interrupt every other thread of this process once, with SA_RESTART: a call that waits on a
 * descriptor starts again, on what is behind that number now. Returns when they have been, or some 2 ms
 * later. Context: the coordinator.
 */
void tell_move_threads(void);

/*
 * In a threaded program the coordinator has the managed signals open, since every other thread may
 * block them. Before they are the program's again: block all in it, or one of the program's handlers
 * might run there, and wait for a lock of the thread that it would have interrupted.
 */
void tell_coordinator_to_block(void);

/* One that sigwait() took instead of the handler: true if it is the program's to see. */
bool tell_taken(const siginfo_t *info);

/* Send it. False with errno if the kernel refuses. */
bool tell_send(pid_t pid);

#endif
