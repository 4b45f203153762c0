/* SPDX-License-Identifier: MIT */
/* Bytes that grow at the end and are taken from the front. */
#ifndef SERVERS_BUFFER_H
#define SERVERS_BUFFER_H

#include <stddef.h>

struct buffer {
    char *data;
    size_t len;
    size_t capacity;
};

/* Makes room for `more` bytes and returns where they go; the caller then adds to `len`. */
char *buffer_room(struct buffer *buffer, size_t more);
void buffer_append(struct buffer *buffer, const void *bytes, size_t len);
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_drop_front(struct buffer *buffer, size_t len);
void buffer_free(struct buffer *buffer);

#endif
