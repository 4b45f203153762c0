/* SPDX-License-Identifier: MIT */
/* The stop of a test server: what signal asked for it, and the hard end that follows. */
#ifndef SERVERS_STOP_H
#define SERVERS_STOP_H

/*
 * Whoever receives the signal calls stop_record(). Whoever looks next calls stop_check() or, after
 * an EINTR, stop_interrupted(): if a signal was recorded, the process ends there and then with
 * status EXIT_STOPPED, its connections cut. Before that it prints to stdout
 *
 *   signal SIGNO                              style without siginfo
 *   signal SIGNO code SI_CODE pid SI_PID uid SI_UID
 *   disposition ...                           with --readback, see readback.h
 *   eintr N                                   with --count-eintr: EINTR results before the signal
 */

#include <signal.h>

enum { EXIT_STOPPED = 7 };

/* Async-signal-safe; `info` may be NULL. Only the first call counts. */
void stop_record(int signo, const siginfo_t *info);

void stop_check(void);
void stop_interrupted(void);

/* For a handler that cannot rely on EINTR: ends the process from inside it. */
void stop_finish_in_handler(void) __attribute__((noreturn));

#endif
