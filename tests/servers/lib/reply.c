/* SPDX-License-Identifier: MIT */
/* An answer as a sequence of writes with waits between them; the same for every kind of server. */
#define _GNU_SOURCE 1
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "content.h"

enum { BIG_PIECE = 64 * 1024 };

static void append_head(struct reply *reply, struct buffer *out)
{
    if (reply->framing == FRAMING_NONE)
        return;
    buffer_printf(out, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\n", reply->status);
    if (reply->framing == FRAMING_LENGTH)
        buffer_printf(out, "Content-Length: %zu\r\n", reply->length);
    if (reply->framing == FRAMING_CHUNKED)
        buffer_printf(out, "Transfer-Encoding: chunked\r\n");
    if (reply->close_after)
        buffer_printf(out, "Connection: close\r\n");
    buffer_printf(out, "\r\n");
}

static bool next_whole(struct reply *reply, struct buffer *out, long *ret_delay_ms)
{
    if (reply->parts_done++ > 0)
        return false;
    *ret_delay_ms = reply->delay_ms;
    append_head(reply, out);
    if (!reply->without_body)
        buffer_append(out, reply->whole.data, reply->whole.len);
    return true;
}

static void append_part(struct reply *reply, struct buffer *out)
{
    char text[CONTENT_PART_MAX];
    size_t len = content_part(reply->target, reply->parts_done, text);

    if (reply->framing == FRAMING_CHUNKED)
        buffer_printf(out, "%zx\r\n", len);
    buffer_append(out, text, len);
    if (reply->framing == FRAMING_CHUNKED)
        buffer_printf(out, "\r\n");
}

static bool next_part(struct reply *reply, struct buffer *out, long *ret_delay_ms)
{
    if (reply->parts_done >= reply->parts)
        return false;
    *ret_delay_ms = reply->parts_done > 0 ? reply->delay_ms : 0;
    if (reply->parts_done == 0)
        append_head(reply, out);
    if (reply->without_body) {
        reply->parts_done = reply->parts;
        return true;
    }
    append_part(reply, out);
    reply->parts_done++;
    if (reply->framing == FRAMING_CHUNKED && reply->parts_done == reply->parts)
        buffer_printf(out, "0\r\n\r\n");
    return true;
}

static bool next_big_piece(struct reply *reply, struct buffer *out, long *ret_delay_ms)
{
    *ret_delay_ms = 0;
    if (reply->parts_done++ == 0)
        append_head(reply, out);
    else if (reply->bytes_done == reply->length)
        return false;
    size_t left = reply->without_body ? 0 : reply->length - reply->bytes_done;
    size_t piece = left < BIG_PIECE ? left : BIG_PIECE;
    char *room = buffer_room(out, piece);
    for (size_t i = 0; i < piece; i++)
        room[i] = content_big_byte(reply->bytes_done + i);
    out->len += piece;
    reply->bytes_done = reply->without_body ? reply->length : reply->bytes_done + piece;
    return true;
}

bool reply_next(struct reply *reply, struct buffer *out, long *ret_delay_ms)
{
    switch (reply->kind) {
    case REPLY_WHOLE:
        return next_whole(reply, out, ret_delay_ms);
    case REPLY_PARTS:
        return next_part(reply, out, ret_delay_ms);
    case REPLY_BIG:
        return next_big_piece(reply, out, ret_delay_ms);
    case REPLY_HANG:
        *ret_delay_ms = DELAY_FOREVER;
        return true;
    case REPLY_NOTHING:
        break;
    }
    return false;
}

void reply_free(struct reply *reply)
{
    buffer_free(&reply->whole);
}
