/* SPDX-License-Identifier: MIT */
/* Requests, and the bodies that must come back. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../servers/lib/content.h"
#include "answer.h"
#include "args.h"

static void body_from_text(struct question *question, const char *text)
{
    question->body = strdup(text);
    question->body_len = strlen(text);
}

static void body_from_pattern(struct question *question, size_t bytes)
{
    question->body = malloc(bytes + 1);
    if (!question->body)
        args_die("malloc");
    question->body_len = bytes;
    for (size_t i = 0; i < bytes; i++)
        question->body[i] = content_big_byte(i);
}

static void body_from_parts(struct question *question, const char *path, long parts)
{
    question->body = malloc((size_t)parts * CONTENT_PART_MAX + 1);
    if (!question->body)
        args_die("malloc");
    for (long i = 0; i < parts; i++)
        question->body_len += content_part(path, i, question->body + question->body_len);
}

void question_http(struct question *question, const char *path, const char *expect)
{
    *question = (struct question){.line_protocol = false};
    int len = asprintf(&question->request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    if (len < 0)
        args_die("asprintf");
    question->request_len = (size_t)len;
    if (expect)
        body_from_text(question, expect);
    else if (content_path_is(path, "/big"))
        body_from_pattern(question, (size_t)content_number(path, "bytes", 0));
    else if (content_parts(path) > 0)
        body_from_parts(question, path, content_parts(path));
}

void question_line(struct question *question, const char *line, const char *expect)
{
    *question = (struct question){.line_protocol = true};
    int len = asprintf(&question->request, "%s\n", line);
    if (len < 0)
        args_die("asprintf");
    question->request_len = (size_t)len;
    if (expect)
        body_from_text(question, expect);
}

void question_accept_any(struct question *question)
{
    free(question->body);
    question->body = NULL;
}

void question_free(struct question *question)
{
    free(question->request);
    free(question->body);
}
