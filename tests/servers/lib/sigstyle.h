/* SPDX-License-Identifier: MIT */
/* The signal styles: what --signal may name, and what the server's loop must do for it. */
#ifndef SERVERS_SIGSTYLE_H
#define SERVERS_SIGSTYLE_H

#include <signal.h>
#include <stdbool.h>

/* Ends with EXIT_USAGE if the style does not exist or does not work in this kind of server. */
void sigstyle_choose(void);

/* Around listen(): each style installs itself in one of the two. */
void sigstyle_before_listen(void);
void sigstyle_after_listen(void);

/* When the first request is read; style `change` then replaces its handler. Any thread. */
void sigstyle_first_request(void);

/* What to wait with: a mask for ppoll() and its siblings, or NULL; a descriptor that becomes
 * readable, or -1. */
const sigset_t *sigstyle_wait_mask(void);
int sigstyle_fd(void);
void sigstyle_fd_ready(void);

/* Main does nothing but wait for the signal: one pause() or sigsuspend(). */
bool sigstyle_suspends(void);
void sigstyle_suspend(void);

/* A loop must not block but ask again and again. */
bool sigstyle_is_polled(void);
void sigstyle_poll_once(void);

#endif
