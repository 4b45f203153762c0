/* SPDX-License-Identifier: MIT */
/* A request, and the check of its answer byte by byte as it comes in. */
#ifndef TOOLS_ANSWER_H
#define TOOLS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

/* What is sent and, where it is known, the body that must come back. */
struct question {
    char *request;
    size_t request_len;
    bool line_protocol;
    char *body; /* NULL: any complete answer will do */
    size_t body_len;
};

/* GET of `path`; its body is known from servers/lib/content.h unless `expect` names another. */
void question_http(struct question *question, const char *path, const char *expect);

/* One line. The answer is one line too, `expect` without its end. */
void question_line(struct question *question, const char *line, const char *expect);

/* Any complete answer will do. */
void question_accept_any(struct question *question);
void question_free(struct question *question);

enum answer_state {
    ANSWER_STATUS,
    ANSWER_FIELD,
    ANSWER_BODY_LENGTH,
    ANSWER_BODY_CLOSE,
    ANSWER_CHUNK_SIZE,
    ANSWER_CHUNK,
    ANSWER_CHUNK_END,
    ANSWER_TRAILER,
    ANSWER_LINE,
    ANSWER_COMPLETE,
    ANSWER_WRONG, /* not what was expected, or not understood */
};

struct answer {
    const struct question *question;
    enum answer_state state;
    size_t received; /* bytes on the wire, heads and chunk sizes too */
    size_t body_len; /* bytes of the body so far */
    size_t left;     /* of the body or chunk */
    bool until_close;
    bool chunked;
    char line[1024];
    size_t line_len;
};

void answer_begin(struct answer *answer, const struct question *question);
void answer_feed(struct answer *answer, const char *bytes, size_t len);

/* The other side closed: completes an answer that is delimited by this. */
void answer_eof(struct answer *answer);

#endif
