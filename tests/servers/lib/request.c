/* SPDX-License-Identifier: MIT */
/* One request taken from the bytes that came in, in either protocol. */
#define _GNU_SOURCE 1
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 4096, BODY_MAX = 64 << 20 };

/* The value of a header field, or NULL. Names are compared without regard to case. */
static const char *field(const char *head, const char *name)
{
    char start[64];

    snprintf(start, sizeof start, "\r\n%s:", name);
    const char *found = strcasestr(head, start);
    if (!found)
        return NULL;
    found += strlen(start);
    return found + strspn(found, " \t");
}

static bool wants_keep_alive(const char *head, const char *version)
{
    const char *connection = field(head, "Connection");

    if (strcmp(version, "HTTP/1.0") == 0)
        return connection && strncasecmp(connection, "keep-alive", 10) == 0;
    return !connection || strncasecmp(connection, "close", 5) != 0;
}

static enum request_status parse_head(const char *head, struct request *request)
{
    char method[16], version[16];

    if (sscanf(head, "%15s %511s %15s", method, request->target, version) != 3)
        return REQUEST_BAD;
    if (strncmp(version, "HTTP/1.", 7) != 0)
        return REQUEST_BAD;
    request->head = strcmp(method, "HEAD") == 0;
    request->post = strcmp(method, "POST") == 0;
    request->keep_alive = wants_keep_alive(head, version);
    const char *length = field(head, "Content-Length");
    request->body_len = length ? strtoul(length, NULL, 10) : 0;
    return request->body_len <= BODY_MAX ? REQUEST_READY : REQUEST_BAD;
}

enum request_status request_parse_http(const struct buffer *in, struct request *ret_request)
{
    char head[HEAD_MAX];
    const char *end = in->len ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;

    if (!end)
        return in->len < sizeof head ? REQUEST_INCOMPLETE : REQUEST_BAD;
    size_t head_len = (size_t)(end - in->data) + 4;
    if (head_len >= sizeof head)
        return REQUEST_BAD;
    memcpy(head, in->data, head_len);
    head[head_len] = '\0';
    if (parse_head(head, ret_request) == REQUEST_BAD)
        return REQUEST_BAD;
    ret_request->body = in->data + head_len;
    ret_request->total_len = head_len + ret_request->body_len;
    return in->len < ret_request->total_len ? REQUEST_INCOMPLETE : REQUEST_READY;
}

enum request_status request_parse_line(const struct buffer *in, struct request *ret_request)
{
    const char *end = in->len ? memchr(in->data, '\n', in->len) : NULL;

    if (!end)
        return in->len < TARGET_MAX ? REQUEST_INCOMPLETE : REQUEST_BAD;
    size_t len = (size_t)(end - in->data);
    if (len >= TARGET_MAX)
        return REQUEST_BAD;
    memcpy(ret_request->target, in->data, len);
    ret_request->target[len] = '\0';
    ret_request->total_len = len + 1;
    ret_request->keep_alive = strcmp(ret_request->target, "quit") != 0;
    return REQUEST_READY;
}
