/* SPDX-License-Identifier: MIT */
/* The connections of the event loop: nonblocking, each with its own reply and timer. */
#define _GNU_SOURCE 1
#include "evconn.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "options.h"
#include "reply.h"
#include "sockio.h"
#include "stop.h"
#include "util.h"

enum { READ_SIZE = 16 * 1024 };

enum state { READING, WAITING, WRITING };

struct conn {
    int fd;
    enum state state;
    int64_t wake_at_us; /* while WAITING */
    struct buffer in;
    struct buffer out;
    struct reply reply; /* while not READING */
    LIST_ENTRY(conn) waiting;
};

static const struct poller *poller;
static struct conn *by_fd[EVLOOP_FD_MAX];
static LIST_HEAD(conn_list, conn) waiting_conns = LIST_HEAD_INITIALIZER(waiting_conns);

void evconn_init(const struct poller *used_poller)
{
    poller = used_poller;
}

static void enter(struct conn *conn, enum state state)
{
    if (conn->state == WAITING)
        LIST_REMOVE(conn, waiting);
    conn->state = state;
    if (state == WAITING)
        LIST_INSERT_HEAD(&waiting_conns, conn, waiting);
    poller->watch(conn->fd, state == READING || opt.watch_hangup, state == WRITING);
}

static void conn_close(struct conn *conn)
{
    if (conn->state == WAITING)
        LIST_REMOVE(conn, waiting);
    if (conn->state != READING)
        reply_free(&conn->reply);
    poller->forget(conn->fd);
    sock_close(conn->fd);
    by_fd[conn->fd] = NULL;
    buffer_free(&conn->in);
    buffer_free(&conn->out);
    free(conn);
}

void evconn_open(int fd)
{
    if (fd >= EVLOOP_FD_MAX || !poller->watch(fd, true, false)) {
        sock_close(fd);
        return;
    }
    struct conn *conn = must_alloc(sizeof *conn);
    conn->fd = fd;
    by_fd[fd] = conn;
}

/* False if the connection was closed. */
static bool conn_read(struct conn *conn)
{
    ssize_t got = sock_read(conn->fd, buffer_room(&conn->in, READ_SIZE), READ_SIZE);

    if (got > 0)
        conn->in.len += (size_t)got;
    else if (got < 0 && errno == EINTR)
        stop_interrupted();
    else if (got == 0 || errno != EAGAIN) {
        conn_close(conn);
        return false;
    }
    return true;
}

/* False if the connection was closed or cannot take more now. */
static bool conn_write(struct conn *conn)
{
    while (conn->out.len > 0) {
        ssize_t put = sock_write(conn->fd, conn->out.data, conn->out.len);
        if (put >= 0) {
            buffer_drop_front(&conn->out, (size_t)put);
        } else if (errno == EINTR) {
            stop_interrupted();
        } else {
            if (errno != EAGAIN)
                conn_close(conn);
            return false;
        }
    }
    return true;
}

/* The reply is over. False if the connection was closed. */
static bool conn_finish_reply(struct conn *conn)
{
    if (conn->reply.close_after) {
        conn_close(conn);
        return false;
    }
    reply_free(&conn->reply);
    enter(conn, READING);
    return !opt.eager_read || conn_read(conn);
}

/* Sends writes of the reply until one must wait. True if it is over and the connection open. */
static bool conn_continue_reply(struct conn *conn)
{
    long delay_ms;

    while (conn_write(conn)) {
        if (!reply_next(&conn->reply, &conn->out, &delay_ms))
            return conn_finish_reply(conn);
        if (delay_ms == 0)
            continue;
        conn->wake_at_us = delay_ms == DELAY_FOREVER ? INT64_MAX : now_us() + delay_ms * 1000;
        enter(conn, WAITING);
        return false;
    }
    return false;
}

/* Requests that are in the buffer already are answered in turn. */
static void conn_serve(struct conn *conn)
{
    while (reply_to_next(&conn->in, &conn->reply) == REQUEST_READY) {
        enter(conn, WRITING);
        if (!conn_continue_reply(conn))
            return;
    }
}

void evconn_ready(const struct ready *ready)
{
    struct conn *conn = by_fd[ready->fd];

    if (!conn)
        return;
    if (conn->state == READING) {
        if (conn_read(conn))
            conn_serve(conn);
    } else if (ready->broken) {
        conn_close(conn);
    } else if (conn->state == WRITING && ready->writable) {
        if (conn_continue_reply(conn))
            conn_serve(conn);
    } else if (ready->readable) {
        conn_read(conn);
    }
}

int evconn_timeout_ms(void)
{
    int64_t first = INT64_MAX;
    struct conn *conn;

    LIST_FOREACH(conn, &waiting_conns, waiting)
    if (conn->wake_at_us < first)
        first = conn->wake_at_us;
    if (first == INT64_MAX)
        return -1;
    int64_t left_us = first - now_us();
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

void evconn_run_timers(void)
{
    int64_t now = now_us();
    struct conn *next;

    for (struct conn *conn = LIST_FIRST(&waiting_conns); conn; conn = next) {
        next = LIST_NEXT(conn, waiting);
        if (conn->wake_at_us > now)
            continue;
        enter(conn, WRITING);
        if (conn_continue_reply(conn))
            conn_serve(conn);
    }
}
