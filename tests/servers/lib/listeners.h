/* SPDX-License-Identifier: MIT */
/* The listening sockets of a test server. */
#ifndef SERVERS_LISTENERS_H
#define SERVERS_LISTENERS_H

#include <stdbool.h>

struct listeners {
    int fd[32];
    int count;
};

/* Opens what --listen and --listen-fds ask for. Inherited listeners are taken as they are: no
 * listen() is called on them. */
void listeners_open(struct listeners *listeners, bool nonblocking);

/* A line each: `listening tcp4 127.0.0.1:PORT`, `listening tcp6 [::1]:PORT` or
 * `listening unix PATH`. */
void listeners_print(const struct listeners *listeners);

#endif
