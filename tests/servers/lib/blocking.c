/* SPDX-License-Identifier: MIT */
/* What servers with blocking connections share: the next connection, and serving one to its end. */
#define _GNU_SOURCE 1
#include "blocking.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "reply.h"
#include "sigstyle.h"
#include "sockio.h"
#include "stop.h"
#include "stream.h"
#include "util.h"

static int poll_all(struct pollfd *fds, nfds_t count)
{
    const sigset_t *mask = sigstyle_wait_mask();

    return mask ? ppoll(fds, count, NULL, mask) : poll(fds, count, -1);
}

/* The listener that has a connection, after whatever the signal's descriptor has to say. */
static int wait_for_listener(const struct listeners *listeners)
{
    struct pollfd fds[sizeof listeners->fd / sizeof listeners->fd[0] + 1];
    nfds_t count = (nfds_t)listeners->count;

    for (nfds_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){.fd = listeners->fd[i], .events = POLLIN};
    fds[count] = (struct pollfd){.fd = sigstyle_fd(), .events = POLLIN};
    for (;;) {
        if (poll_all(fds, count + 1) < 0) {
            stop_interrupted();
            continue;
        }
        if (fds[count].revents)
            sigstyle_fd_ready();
        for (nfds_t i = 0; i < count; i++)
            if (fds[i].revents)
                return fds[i].fd;
    }
}

int blocking_accept(const struct listeners *listeners)
{
    stop_check();
    if (listeners->count == 1 && sigstyle_fd() < 0 && !sigstyle_wait_mask())
        return sock_accept_blocking(listeners->fd[0]);
    return sock_accept_blocking(wait_for_listener(listeners));
}

static void sleep_ms(long ms)
{
    struct timespec left = {.tv_sec = ms == DELAY_FOREVER ? INT_MAX : ms / 1000,
                            .tv_nsec = ms == DELAY_FOREVER ? 0 : ms % 1000 * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        stop_interrupted();
}

/* False if the connection is over. */
static bool next_request(struct stream *stream, struct buffer *in, struct reply *ret_reply)
{
    for (;;) {
        stop_check();
        if (reply_to_next(in, ret_reply) == REQUEST_READY)
            return true;
        if (!stream_read(stream, in))
            return false;
    }
}

static bool send_reply(struct stream *stream, struct reply *reply)
{
    struct buffer out = {0};
    bool sent = true;
    long delay_ms;

    while (sent && reply_next(reply, &out, &delay_ms)) {
        if (delay_ms != 0)
            sleep_ms(delay_ms);
        sent = stream_write(stream, out.data, out.len);
        out.len = 0;
    }
    buffer_free(&out);
    return sent && !reply->close_after;
}

void blocking_serve(int fd)
{
    struct stream stream;
    struct buffer in = {0};
    struct reply reply;
    bool more = true;

    stream_open(&stream, fd);
    while (more && next_request(&stream, &in, &reply)) {
        more = send_reply(&stream, &reply);
        reply_free(&reply);
    }
    stream_close(&stream);
    buffer_free(&in);
}
