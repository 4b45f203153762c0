/* SPDX-License-Identifier: MIT */
/* One request taken from the bytes that came in, in either protocol. */
#ifndef SERVERS_REQUEST_H
#define SERVERS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum { TARGET_MAX = 512 };

struct request {
    bool head;               /* HTTP: the method is HEAD */
    bool post;               /* HTTP: the method is POST */
    bool keep_alive;         /* the connection goes on after the answer */
    char target[TARGET_MAX]; /* HTTP: path and query; line protocol: the whole line */
    const char *body;        /* in the buffer, until it is changed */
    size_t body_len;
    size_t total_len; /* what to drop from the buffer afterwards */
};

enum request_status { REQUEST_INCOMPLETE, REQUEST_READY, REQUEST_BAD };

enum request_status request_parse_http(const struct buffer *in, struct request *ret_request);
enum request_status request_parse_line(const struct buffer *in, struct request *ret_request);

#endif
