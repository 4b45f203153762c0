/* SPDX-License-Identifier: MIT */
/* An answer as a sequence of writes with waits between them; the same for every kind of server. */
#ifndef SERVERS_REPLY_H
#define SERVERS_REPLY_H

/*
 *   while (reply_next(&reply, &out, &delay_ms))
 *       wait delay_ms, then send out
 *   reply_free(&reply)
 *
 * A blocking server sleeps in that loop, an event-driven one leaves it and comes back.
 */

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "request.h"

enum { DELAY_FOREVER = -1 };

enum reply_kind { REPLY_WHOLE, REPLY_PARTS, REPLY_BIG, REPLY_HANG, REPLY_NOTHING };
enum reply_framing { FRAMING_LENGTH, FRAMING_CHUNKED, FRAMING_CLOSE, FRAMING_NONE };

struct reply {
    enum reply_kind kind;
    enum reply_framing framing;
    const char *status; /* of HTTP */
    bool without_body;  /* HEAD */
    bool close_after;
    char target[TARGET_MAX];
    struct buffer whole; /* REPLY_WHOLE: the body */
    size_t length;       /* of the body, where it is known */
    long delay_ms;       /* before the answer (whole), or between the parts */
    long parts;
    long parts_done;
    size_t bytes_done; /* REPLY_BIG */
};

/* Takes the next request out of `in`. On REQUEST_READY the reply must be freed by the caller. */
enum request_status reply_to_next(struct buffer *in, struct reply *ret_reply);

/* Puts the bytes of the next write into `out`. False if the answer is over. */
bool reply_next(struct reply *reply, struct buffer *out, long *ret_delay_ms);
void reply_free(struct reply *reply);

#endif
