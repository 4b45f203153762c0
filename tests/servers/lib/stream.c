/* SPDX-License-Identifier: MIT */
/* A blocking connection, by descriptor or by stdio. */
#define _GNU_SOURCE 1
#include "stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "options.h"
#include "sockio.h"
#include "stop.h"
#include "util.h"

enum { READ_SIZE = 16 * 1024, LINE_SIZE = 4096 };

void stream_open(struct stream *stream, int fd)
{
    *stream = (struct stream){.fd = fd};
    if (!opt.stdio)
        return;
    stream->in = fdopen(fd, "r");
    stream->out = fdopen(dup(fd), "w");
    if (!stream->in || !stream->out)
        die("fdopen");
}

static bool read_line(struct stream *stream, struct buffer *in)
{
    char line[LINE_SIZE];

    while (!fgets(line, sizeof line, stream->in)) {
        if (!ferror(stream->in) || errno != EINTR)
            return false;
        clearerr(stream->in);
        stop_interrupted();
    }
    buffer_append(in, line, strlen(line));
    return true;
}

bool stream_read(struct stream *stream, struct buffer *in)
{
    ssize_t got;

    if (opt.stdio)
        return read_line(stream, in);
    while ((got = sock_read(stream->fd, buffer_room(in, READ_SIZE), READ_SIZE)) < 0 &&
           errno == EINTR)
        stop_interrupted();
    if (got > 0)
        in->len += (size_t)got;
    return got > 0;
}

bool stream_write(struct stream *stream, const char *bytes, size_t len)
{
    if (opt.stdio)
        return fprintf(stream->out, "%.*s", (int)len, bytes) == (int)len &&
               fflush(stream->out) == 0;
    while (len > 0) {
        ssize_t put = sock_write(stream->fd, bytes, len);
        if (put < 0 && errno != EINTR)
            return false;
        if (put < 0) {
            stop_interrupted();
            continue;
        }
        bytes += put;
        len -= (size_t)put;
    }
    return true;
}

void stream_close(struct stream *stream)
{
    if (opt.stdio) {
        fclose(stream->out);
        fclose(stream->in);
    } else {
        sock_close(stream->fd);
    }
}
