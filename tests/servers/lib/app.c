/* SPDX-License-Identifier: MIT */
/* What the test servers answer: from a request to a reply, in both protocols. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "helper.h"
#include "options.h"
#include "reply.h"
#include "sigstyle.h"

static void answer_error(struct reply *reply, const char *status)
{
    reply->status = status;
    buffer_printf(&reply->whole, "%s\n", status);
}

static void answer_pause(struct reply *reply)
{
    char text[CONTENT_PART_MAX];

    reply->kind = REPLY_PARTS;
    reply->delay_ms = content_number(reply->target, "ms", 0);
    reply->parts = content_parts(reply->target);
    for (long i = 0; i < reply->parts; i++)
        reply->length += content_part(reply->target, i, text);
    if (content_word_is(reply->target, "mode", "chunked"))
        reply->framing = FRAMING_CHUNKED;
    if (content_word_is(reply->target, "mode", "close")) {
        reply->framing = FRAMING_CLOSE;
        reply->close_after = true;
    }
}

static void answer_big(struct reply *reply)
{
    reply->kind = REPLY_BIG;
    reply->length = (size_t)content_number(reply->target, "bytes", 0);
}

static void answer_text(struct reply *reply)
{
    char text[CONTENT_PART_MAX];

    buffer_append(&reply->whole, text, content_part(reply->target, 0, text));
    if (content_path_is(reply->target, "/slow"))
        reply->delay_ms = content_number(reply->target, "ms", 0);
}

static void answer_http(const struct request *request, struct reply *reply)
{
    const char *target = reply->target;

    if (content_path_is(target, "/pause"))
        answer_pause(reply);
    else if (content_path_is(target, "/big"))
        answer_big(reply);
    else if (content_path_is(target, "/hang"))
        reply->kind = REPLY_HANG;
    else if (content_path_is(target, "/pid"))
        buffer_printf(&reply->whole, "%d\n", getpid());
    else if (content_path_is(target, "/helper"))
        helper_run(target, &reply->whole);
    else if (content_path_is(target, "/echo") && request->post)
        buffer_append(&reply->whole, request->body, request->body_len);
    else if (content_parts(target) == 1)
        answer_text(reply);
    else
        answer_error(reply, "404 Not Found");
    if (reply->kind == REPLY_WHOLE)
        reply->length = reply->whole.len;
}

/* `echo TEXT`, `slow MS TEXT` and `quit`. */
static void answer_line(struct reply *reply)
{
    char *text = reply->target;

    reply->framing = FRAMING_NONE;
    if (strncmp(text, "echo ", 5) == 0) {
        text += 5;
    } else if (strncmp(text, "slow ", 5) == 0) {
        reply->delay_ms = strtol(text + 5, &text, 10);
        text += *text == ' ';
    } else if (strcmp(text, "quit") == 0) {
        reply->kind = REPLY_NOTHING;
    } else {
        text = "error";
    }
    buffer_printf(&reply->whole, "%s\n", text);
}

static void answer_bad(struct reply *reply)
{
    reply->close_after = true;
    if (opt.line_protocol)
        reply->framing = FRAMING_NONE;
    answer_error(reply, "400 Bad Request");
    reply->length = reply->whole.len;
}

static void answer(const struct request *request, struct reply *reply)
{
    reply->close_after = !request->keep_alive;
    reply->without_body = request->head;
    strcpy(reply->target, request->target);
    if (opt.line_protocol)
        answer_line(reply);
    else
        answer_http(request, reply);
}

enum request_status reply_to_next(struct buffer *in, struct reply *ret_reply)
{
    struct request request = {0};
    enum request_status status =
        opt.line_protocol ? request_parse_line(in, &request) : request_parse_http(in, &request);

    if (status == REQUEST_INCOMPLETE)
        return status;
    *ret_reply = (struct reply){.status = "200 OK"};
    if (status == REQUEST_BAD) {
        answer_bad(ret_reply);
        buffer_drop_front(in, in->len);
        return REQUEST_READY;
    }
    sigstyle_first_request();
    answer(&request, ret_reply);
    buffer_drop_front(in, request.total_len);
    return REQUEST_READY;
}
