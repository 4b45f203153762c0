/* SPDX-License-Identifier: MIT */
/* What is known of a family, as JSON: the same members in every command's answer. */
/* Context: a program of one thread. */

/*
 * Each adds one member to `object`. Times are milliseconds; those of a stop count from its beginning.
 * fluxctl(1) lists the keys: they are an interface.
 */
#ifndef FLUXCTL_FAMILY_DESCRIBE_H
#define FLUXCTL_FAMILY_DESCRIBE_H

#include <cjson/cJSON.h>

#include "family/connections.h"
#include "family/view.h"

/* pid, name, uid, file, phase, uptime_ms, generation. */
void describe_head(cJSON *object, const struct family_view *view);

/* "stop": null while it runs. */
void describe_stop(cJSON *object, const struct family_view *view, int64_t now_ns);

/* Of a stop: reason, signal, sender. */
void describe_cause(cJSON *object, const struct family_stop *stop);

/* Milliseconds left, null: no end. */
void describe_left(cJSON *object, const char *name, int64_t until_ns, int64_t now_ns);

/* "members". */
void describe_members(cJSON *object, const struct family_view *view);

/* "listeners" and "connections"; `rows`: each connection, too. NULL: null, they can't be read. */
void describe_sockets(cJSON *object, const struct connections *connections, bool rows);

/* One more object in that array: pid, fd, peer, state, why, ... */
void describe_connection(cJSON *rows, const struct connection *connection);

/* "settings". */
void describe_settings(cJSON *object, const struct settings *settings);

/* Whoever started and how it is called: the owner, or the oldest member left. NULL: nobody lives. */
const struct member_view *describe_leader(const struct family_view *view);

/* When the stop began, nanoseconds of CLOCK_MONOTONIC; 0: it hasn't. */
int64_t describe_began(const struct family_stop *stop);

/* "signal", "demand", "exit"; NULL while it runs. */
const char *describe_reason(const struct family_stop *stop);

#endif
