/* SPDX-License-Identifier: MIT */
/* The sockets of a family: its listeners, and its connections with what is known of each. */
/* Context: a program of one thread. */

/*
 * The kernel says which sockets the members have (/proc/PID/fd, sock_diag), the shim's tables what
 * happened on them. A connection is a socket that came from a listener: with its address, and not
 * listening. One that several descriptors or members hold is one.
 */
#ifndef FLUXCTL_FAMILY_CONNECTIONS_H
#define FLUXCTL_FAMILY_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "family/sockets.h"
#include "family/view.h"

enum connection_state { CONNECTION_IN_FLIGHT, CONNECTION_IDLE, CONNECTION_UNKNOWN };

struct connection {
    pid_t pid; /* a member that has it, and its descriptor there */
    int fd;
    size_t holders; /* descriptors, of all members */
    struct socket_row socket;
    bool is_tracked; /* the table of one of them has it; false with `is_blind`: can't be said */
    bool is_blind;   /* no table of a member that has it can be read */
    enum connection_state state;
    const char *why;
    int64_t quiet_ns; /* -1: not known */
    int64_t age_ns;   /* at least so old, -1: not known */
    bool forced;
};

struct listener {
    struct socket_row socket;
    pid_t pid;
    int fd;
    size_t holders;
    bool has_strangers; /* another server listens on the same address (SO_REUSEPORT) */
};

struct connections {
    struct connection *rows; /* the oldest first */
    size_t count;
    struct listener *listeners;
    size_t listener_count;
    size_t unreadable; /* members whose descriptors, */
    size_t blind;      /* or whose tables can't be read */
    uint64_t accepted; /* by all whose tables can be */
};

/* 0, or -errno: -EACCES, -EPERM if they are somebody else's. */
int connections_read(const struct family_view *view, struct connections *ret_connections);
void connections_free(struct connections *connections);

/* "in flight", "idle", "unknown". */
const char *connection_state_name(enum connection_state state);

/* How many are in that state. */
size_t connections_count(const struct connections *connections, enum connection_state state);

#endif
