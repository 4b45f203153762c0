/* SPDX-License-Identifier: MIT */
/* A single-threaded server on select() or pselect(); it takes descriptors below FD_SETSIZE only. */
#define _GNU_SOURCE 1
#include <stddef.h>
#include <sys/select.h>
#include <time.h>

#include "lib/evloop.h"
#include "lib/server.h"

static fd_set wanted_readable, wanted_writable;
static int fd_limit; /* one more than the highest descriptor ever watched */

static bool watch(int fd, bool readable, bool writable)
{
    if (fd >= FD_SETSIZE)
        return false;
    FD_CLR(fd, &wanted_readable);
    FD_CLR(fd, &wanted_writable);
    if (readable)
        FD_SET(fd, &wanted_readable);
    if (writable)
        FD_SET(fd, &wanted_writable);
    if (fd >= fd_limit)
        fd_limit = fd + 1;
    return true;
}

static void forget(int fd)
{
    watch(fd, false, false);
}

static int select_all(fd_set *readable, fd_set *writable, int timeout_ms, const sigset_t *mask)
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000L};
    struct timespec precise = {.tv_sec = timeout.tv_sec, .tv_nsec = timeout.tv_usec * 1000L};
    bool forever = timeout_ms < 0;

    if (mask)
        return pselect(fd_limit, readable, writable, NULL, forever ? NULL : &precise, mask);
    return select(fd_limit, readable, writable, NULL, forever ? NULL : &timeout);
}

static int wait_ready(struct ready ready[READY_MAX], int timeout_ms, const sigset_t *mask)
{
    fd_set readable = wanted_readable, writable = wanted_writable;
    int count = 0;

    if (select_all(&readable, &writable, timeout_ms, mask) < 0)
        return -1;
    for (int fd = 0; fd < fd_limit && count < READY_MAX; fd++)
        if (FD_ISSET(fd, &readable) || FD_ISSET(fd, &writable))
            ready[count++] = (struct ready){
                .fd = fd, .readable = FD_ISSET(fd, &readable), .writable = FD_ISSET(fd, &writable)};
    return count;
}

int main(int argc, char **argv)
{
    static const struct poller poller = {watch, forget, wait_ready};
    struct listeners listeners;

    server_start(argc, argv, SERVER_SELECT, &listeners);
    evloop_run(&poller, &listeners);
}
