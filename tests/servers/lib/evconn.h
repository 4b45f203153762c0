/* SPDX-License-Identifier: MIT */
/* The connections of the event loop: nonblocking, each with its own reply and timer. */
#ifndef SERVERS_EVCONN_H
#define SERVERS_EVCONN_H

/*
 *            request read              delay of a write over
 *  READING ---------------> WAITING -------------------------> WRITING
 *     ^                        ^------------------------------    |
 *     +------------------- reply over ---------------------------+
 */

#include "evloop.h"

void evconn_init(const struct poller *poller);
void evconn_open(int fd);
void evconn_ready(const struct ready *ready);

/* Milliseconds until the next timer, or -1. */
int evconn_timeout_ms(void);
void evconn_run_timers(void);

#endif
