/* SPDX-License-Identifier: MIT */
/* Receivers of signals that are not handlers: waiting threads, and reads of a signalfd. */
#ifndef SERVERS_SIGWAITERS_H
#define SERVERS_SIGWAITERS_H

/* Bodies of threads. Each returns never: it ends the process when its signal comes. */
void *wait_in_sigwait(void *unused);
void *wait_in_sigwaitinfo(void *unused);
void *wait_in_sigtimedwait(void *unused);
void *wait_in_signalfd(void *unused);

/* One sigtimedwait() for loops that have no thread for it, and one read of a nonblocking
 * signalfd. Both record what they get. */
void take_by_sigtimedwait(long timeout_ms);
void take_from_signalfd(int fd);

#endif
