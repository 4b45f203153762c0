/* SPDX-License-Identifier: MIT */
/* A blocking connection, by descriptor or by stdio. */
#ifndef SERVERS_STREAM_H
#define SERVERS_STREAM_H

#include <stdbool.h>
#include <stdio.h>

#include "buffer.h"

struct stream {
    int fd;
    FILE *in;  /* with --stdio only */
    FILE *out; /* on a duplicate of the descriptor, as programs do that read and write */
};

void stream_open(struct stream *stream, int fd);

/* Adds what comes next, a line with --stdio. False at the end or after an error. */
bool stream_read(struct stream *stream, struct buffer *in);
bool stream_write(struct stream *stream, const char *bytes, size_t len);
void stream_close(struct stream *stream);

#endif
