/* SPDX-License-Identifier: MIT */
/* Holding a managed signal, and handing it over at the end. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * The first managed signal is recorded with its siginfo, the listeners are refused at once (when
 * no lame-duck time is set), and the coordinator is told or started. A second one from outside,
 * later than HOLD_ECHO_NS after the first, ends the drain. (timeout(1) and a terminal's group
 * signal send one stop twice within microseconds.)
 *
 * In a family (family.h) only the owner refuses. A member drains alone if the signal came from
 * outside, or with the family if that drains. One that another member has sent, or that comes to a
 * member which never had a connection, is none of the shim's business: it is handed over at once,
 * and the process holds none from then on.
 *
 * The handing-over (hold_release) depends on who can do it:
 *   - a single-threaded program: its own thread is poked with the same signal and a cookie; the
 *     handler makes dispositions and masks real and queues the signal to itself, which keeps
 *     si_code and si_pid (rt_sigqueueinfo(2) lets a process tell itself anything);
 *   - a threaded one: the coordinator does it, through a pidfd of its own thread, sent to the
 *     group (Linux 6.9), else with SI_QUEUE as the code.
 *
 * A kernel timer, made when the signal is held, retries the start of the coordinator, and at
 * FLUX_SHUTDOWN_TIMEOUT ends the process by the signal's default action, whatever hangs.
 */
#ifndef FLUXSHIM_SIGSAFE_HOLD_H
#define FLUXSHIM_SIGSAFE_HOLD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define HOLD_ECHO_NS 50000000 /* 50 ms: on a loaded machine the sender is preempted in between */

struct hold_limits {
    int64_t lame_duck_ns;
    int64_t drain_ns;
    int64_t shutdown_ns;
};

struct held_signal {
    int signo;
    siginfo_t info;
    int64_t at_ns;      /* CLOCK_MONOTONIC, when the handler began */
    int64_t refused_ns; /* when the listeners were refused, 0: not by the handler */
    bool is_demand;     /* flux_trigger() has sent it */
};

/* Put the handler in front of every signal in `signals` that isn't ignored. While arming. */
void hold_install(uint64_t signals, const struct hold_limits *limits);

/* What is held, or NULL. */
const struct held_signal *hold_current(void);

/*
 * A managed signal that sigwait() took instead of the handler. True if it is the program's to see
 * (it has been released), false if it was held or was for the shim.
 */
bool hold_taken(const siginfo_t *info);

/*
 * The shim's own signal has interrupted this: start the coordinator if it is wanted and can be, and
 * let no EINTR of it reach the program. `error` is errno as the handler found it: libc hasn't stored
 * the EINTR yet. Context: a handler of the shim's.
 */
void hold_claim(const void *context, int error);

/* Hand the held signal over. Context: the coordinator's thread, all signals blocked. */
void hold_release(void);

/*
 * Around a part of an exit that may hang: if it isn't over after so many nanoseconds, the process
 * ends with this status all the same.
 */
void hold_guard_exit(int status, int64_t ns);
void hold_unguard_exit(void);

/* The default action, now: the shutdown timeout is over. Context: any thread. */
void hold_give_up(int signo);

/* From the last phase on, writes to a connection that the drain has cut raise no SIGPIPE. */
void hold_sigpipe(void);

/*
 * This process is no longer armed: the program's dispositions, mask and signalfds are real again,
 * and what is held is handed over. Context: the program's thread.
 */
void hold_abandon(void);

/*
 * In a child that fork made, whose parent goes on holding what it holds: as in hold_abandon, or with
 * handlers in place and nothing held.
 */
void hold_forget_in_child(void);
void hold_go_on_in_child(void);

#endif
