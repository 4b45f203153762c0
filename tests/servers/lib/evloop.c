/* SPDX-License-Identifier: MIT */
/* The single-threaded event loop, on whichever system call waits for the descriptors. */
#define _GNU_SOURCE 1
#include "evloop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "evconn.h"
#include "options.h"
#include "server.h"
#include "sigstyle.h"
#include "sockio.h"
#include "stop.h"
#include "util.h"

static bool is_listener(const struct listeners *listeners, int fd)
{
    for (int i = 0; i < listeners->count; i++)
        if (listeners->fd[i] == fd)
            return true;
    return false;
}

static bool is_transient(int error)
{
    return error == EAGAIN || error == ECONNABORTED || error == EMFILE;
}

/* A blocking listener gives one connection for each event, a nonblocking one all that it has. */
static void accept_ready(int listener)
{
    do {
        int fd = sock_accept(listener, true);
        if (fd >= 0) {
            evconn_open(fd);
        } else if (errno == EINTR) {
            stop_interrupted();
        } else if (is_transient(errno)) {
            return;
        } else {
            say("accept failed: %s", strerror(errno));
            exit(EXIT_FAILURE);
        }
    } while (!opt.blocking_listener);
}

/* Connections first: an fd that one of them closes can be reused by what is accepted after. */
static void dispatch(const struct listeners *listeners, const struct ready *ready, int count)
{
    for (int i = 0; i < count; i++)
        if (!is_listener(listeners, ready[i].fd) && ready[i].fd != sigstyle_fd())
            evconn_ready(&ready[i]);
    for (int i = 0; i < count; i++) {
        if (is_listener(listeners, ready[i].fd))
            accept_ready(ready[i].fd);
        else if (ready[i].fd == sigstyle_fd())
            sigstyle_fd_ready();
    }
}

static void watch_all(const struct poller *poller, const struct listeners *listeners)
{
    for (int i = 0; i < listeners->count; i++)
        if (!poller->watch(listeners->fd[i], true, false))
            die("watch");
    if (sigstyle_fd() >= 0 && !poller->watch(sigstyle_fd(), true, false))
        die("watch");
}

static void one_turn(const struct poller *poller, const struct listeners *listeners)
{
    struct ready ready[READY_MAX];
    int timeout_ms = sigstyle_is_polled() ? 0 : evconn_timeout_ms();

    stop_check();
    int count = poller->wait(ready, timeout_ms, sigstyle_wait_mask());
    if (count < 0) {
        if (errno != EINTR)
            die("wait");
        stop_interrupted();
        return;
    }
    dispatch(listeners, ready, count);
    evconn_run_timers();
    if (count == 0 && sigstyle_is_polled())
        sigstyle_poll_once();
}

void evloop_run(const struct poller *poller, const struct listeners *listeners)
{
    evconn_init(poller);
    watch_all(poller, listeners);
    server_ready();
    for (;;)
        one_turn(poller, listeners);
}
