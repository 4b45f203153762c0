/* SPDX-License-Identifier: MIT */
/* The start of every test server: options, signals and listeners, in that order. */
#ifndef SERVERS_SERVER_H
#define SERVERS_SERVER_H

#include "listeners.h"
#include "options.h"

/* Returns when the listeners are open. The caller then calls server_ready() and serves. */
void server_start(int argc, char **argv, enum server_kind kind, struct listeners *ret_listeners);

/* The line `ready` on stdout. */
void server_ready(void);

#endif
