/* SPDX-License-Identifier: MIT */
/* A connection to redis whose every step keeps to one deadline. */
/* Context: any thread; blocks until the deadline at most. */

/*
 * Hiredis makes the commands and reads the replies; the socket is ours: its own connections write
 * without MSG_NOSIGNAL, and their timeouts are those of a single call.
 */
#ifndef FLUXSHIM_HOOKS_REDIS_CONNECTION_H
#define FLUXSHIM_HOOKS_REDIS_CONNECTION_H

#include <stddef.h>
#include <stdint.h>

struct redisReader;
struct redisReply;

struct connection {
    int fd;
    int64_t deadline;
    struct redisReader *reader;
};

/* `socket_path`, or (if that is NULL) a host's number or name. 0 or -errno. */
int connection_open(struct connection *connection, const char *socket_path, const char *host,
                    int port, int64_t timeout_ms);

void connection_close(struct connection *connection);

/* One command; frees the reply with freeReplyObject. 0 or -errno. */
int connection_ask(struct connection *connection, const char *const *words, size_t count,
                   struct redisReply **ret_reply);

#endif
