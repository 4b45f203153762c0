/* SPDX-License-Identifier: MIT */
/* Bytes that grow at the end and are taken from the front. */
#define _GNU_SOURCE 1
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

char *buffer_room(struct buffer *buffer, size_t more)
{
    size_t wanted = buffer->len + more;

    if (wanted > buffer->capacity) {
        buffer->capacity = wanted < 1024 ? 1024 : wanted * 2;
        buffer->data = realloc(buffer->data, buffer->capacity);
        if (!buffer->data)
            die("realloc");
    }
    return buffer->data + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    memcpy(buffer_room(buffer, len), bytes, len);
    buffer->len += len;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        buffer_append(buffer, text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

void buffer_drop_front(struct buffer *buffer, size_t len)
{
    buffer->len -= len;
    memmove(buffer->data, buffer->data + len, buffer->len);
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}
