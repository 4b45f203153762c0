/* SPDX-License-Identifier: MIT */
/* The check of an answer, byte by byte as it comes in. */
#define _GNU_SOURCE 1
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void answer_begin(struct answer *answer, const struct question *question)
{
    *answer = (struct answer){
        .question = question,
        .state = question->line_protocol ? ANSWER_LINE : ANSWER_STATUS,
        .until_close = true,
    };
}

static void complete(struct answer *answer)
{
    const struct question *question = answer->question;
    bool right = !question->body || answer->body_len == question->body_len;

    answer->state = right ? ANSWER_COMPLETE : ANSWER_WRONG;
}

/* False if these are not the bytes that come next in the body. */
static bool body_matches(const struct answer *answer, const char *bytes, size_t len)
{
    const struct question *question = answer->question;

    if (!question->body)
        return true;
    return answer->body_len + len <= question->body_len &&
           memcmp(question->body + answer->body_len, bytes, len) == 0;
}

static void on_status(struct answer *answer)
{
    bool http1 = strncmp(answer->line, "HTTP/1.", 7) == 0;
    bool good = http1 && strncmp(answer->line + 8, " 200", 4) == 0;

    answer->state = good ? ANSWER_FIELD : ANSWER_WRONG;
}

static void on_head_end(struct answer *answer)
{
    if (answer->chunked)
        answer->state = ANSWER_CHUNK_SIZE;
    else
        answer->state = answer->until_close ? ANSWER_BODY_CLOSE : ANSWER_BODY_LENGTH;
    if (answer->state == ANSWER_BODY_LENGTH && answer->left == 0)
        complete(answer);
}

static void on_field(struct answer *answer)
{
    const char *line = answer->line;

    if (answer->line_len == 0) {
        on_head_end(answer);
    } else if (strncasecmp(line, "Content-Length:", 15) == 0) {
        answer->left = strtoul(line + 15, NULL, 10);
        answer->until_close = false;
    } else if (strncasecmp(line, "Transfer-Encoding:", 18) == 0) {
        answer->chunked = strcasestr(line, "chunked") != NULL;
    }
}

static void on_chunk_size(struct answer *answer)
{
    char *end;

    answer->left = strtoul(answer->line, &end, 16);
    if (end == answer->line)
        answer->state = ANSWER_WRONG;
    else
        answer->state = answer->left > 0 ? ANSWER_CHUNK : ANSWER_TRAILER;
}

static void on_answer_line(struct answer *answer)
{
    if (!body_matches(answer, answer->line, answer->line_len)) {
        answer->state = ANSWER_WRONG;
        return;
    }
    answer->body_len = answer->line_len;
    complete(answer);
}

static void on_line(struct answer *answer)
{
    if (answer->state == ANSWER_STATUS)
        on_status(answer);
    else if (answer->state == ANSWER_FIELD)
        on_field(answer);
    else if (answer->state == ANSWER_CHUNK_SIZE)
        on_chunk_size(answer);
    else if (answer->state == ANSWER_CHUNK_END)
        answer->state = answer->line_len == 0 ? ANSWER_CHUNK_SIZE : ANSWER_WRONG;
    else if (answer->state == ANSWER_TRAILER && answer->line_len == 0)
        complete(answer);
    else if (answer->state == ANSWER_LINE)
        on_answer_line(answer);
}

/* Each feeder takes what belongs to its state and returns how much that was. */
static size_t feed_line(struct answer *answer, const char *bytes, size_t len)
{
    const char *newline = memchr(bytes, '\n', len);
    size_t part = newline ? (size_t)(newline - bytes) : len;

    if (answer->line_len + part >= sizeof answer->line) {
        answer->state = ANSWER_WRONG;
        return len;
    }
    memcpy(answer->line + answer->line_len, bytes, part);
    answer->line_len += part;
    if (!newline)
        return part;
    if (answer->line_len > 0 && answer->line[answer->line_len - 1] == '\r')
        answer->line_len--;
    answer->line[answer->line_len] = '\0';
    on_line(answer);
    answer->line_len = 0;
    return part + 1;
}

static size_t feed_body(struct answer *answer, const char *bytes, size_t len)
{
    bool bounded = answer->state != ANSWER_BODY_CLOSE;
    size_t part = bounded && answer->left < len ? answer->left : len;

    if (!body_matches(answer, bytes, part)) {
        answer->state = ANSWER_WRONG;
        return len;
    }
    answer->body_len += part;
    if (!bounded)
        return part;
    answer->left -= part;
    if (answer->left == 0 && answer->state == ANSWER_CHUNK)
        answer->state = ANSWER_CHUNK_END;
    else if (answer->left == 0)
        complete(answer);
    return part;
}

static bool in_body(const struct answer *answer)
{
    return answer->state == ANSWER_BODY_LENGTH || answer->state == ANSWER_BODY_CLOSE ||
           answer->state == ANSWER_CHUNK;
}

void answer_feed(struct answer *answer, const char *bytes, size_t len)
{
    answer->received += len;
    while (len > 0 && answer->state != ANSWER_WRONG) {
        if (answer->state == ANSWER_COMPLETE) {
            answer->state = ANSWER_WRONG; /* nobody asked for more */
            return;
        }
        size_t used =
            in_body(answer) ? feed_body(answer, bytes, len) : feed_line(answer, bytes, len);
        bytes += used;
        len -= used;
    }
}

void answer_eof(struct answer *answer)
{
    if (answer->state == ANSWER_BODY_CLOSE)
        complete(answer);
}
