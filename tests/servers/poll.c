/* SPDX-License-Identifier: MIT */
/* A single-threaded server on poll() or ppoll(). */
#define _GNU_SOURCE 1
#include <poll.h>
#include <stddef.h>
#include <time.h>

#include "lib/evloop.h"
#include "lib/server.h"

/* watched[place[fd] - 1] is the entry of fd; place is 0 where there is none. */
static struct pollfd watched[EVLOOP_FD_MAX];
static int place[EVLOOP_FD_MAX];
static int watched_count;

static bool watch(int fd, bool readable, bool writable)
{
    if (place[fd] == 0)
        place[fd] = ++watched_count;
    watched[place[fd] - 1] = (struct pollfd){
        .fd = fd, .events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0))};
    return true;
}

/* The last entry moves into the gap. */
static void forget(int fd)
{
    struct pollfd last = watched[--watched_count];

    watched[place[fd] - 1] = last;
    place[last.fd] = place[fd];
    place[fd] = 0;
}

static int poll_all(int timeout_ms, const sigset_t *mask)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                               .tv_nsec = timeout_ms % 1000 * 1000000L};

    if (!mask)
        return poll(watched, (nfds_t)watched_count, timeout_ms);
    return ppoll(watched, (nfds_t)watched_count, timeout_ms < 0 ? NULL : &timeout, mask);
}

static int wait_ready(struct ready ready[READY_MAX], int timeout_ms, const sigset_t *mask)
{
    int count = 0;

    if (poll_all(timeout_ms, mask) < 0)
        return -1;
    for (int i = 0; i < watched_count && count < READY_MAX; i++)
        if (watched[i].revents)
            ready[count++] = (struct ready){.fd = watched[i].fd,
                                            .readable = watched[i].revents & POLLIN,
                                            .writable = watched[i].revents & POLLOUT,
                                            .broken = watched[i].revents & (POLLHUP | POLLERR)};
    return count;
}

int main(int argc, char **argv)
{
    static const struct poller poller = {watch, forget, wait_ready};
    struct listeners listeners;

    server_start(argc, argv, SERVER_POLL, &listeners);
    evloop_run(&poller, &listeners);
}
