/* SPDX-License-Identifier: MIT */
/* A single-threaded server on epoll_wait() or epoll_pwait(), level-triggered. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <sys/epoll.h>

#include "lib/evloop.h"
#include "lib/server.h"
#include "lib/util.h"

static int epoll_fd;

static bool watch(int fd, bool readable, bool writable)
{
    struct epoll_event event = {.events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u),
                                .data.fd = fd};

    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return true;
    return errno == ENOENT && epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void forget(int fd)
{
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

static int wait_ready(struct ready ready[READY_MAX], int timeout_ms, const sigset_t *mask)
{
    struct epoll_event events[READY_MAX];
    int count = mask ? epoll_pwait(epoll_fd, events, READY_MAX, timeout_ms, mask)
                     : epoll_wait(epoll_fd, events, READY_MAX, timeout_ms);

    for (int i = 0; i < count; i++)
        ready[i] = (struct ready){.fd = events[i].data.fd,
                                  .readable = events[i].events & EPOLLIN,
                                  .writable = events[i].events & EPOLLOUT,
                                  .broken = events[i].events & (EPOLLHUP | EPOLLERR)};
    return count;
}

int main(int argc, char **argv)
{
    static const struct poller poller = {watch, forget, wait_ready};
    struct listeners listeners;

    server_start(argc, argv, SERVER_EPOLL, &listeners);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0)
        die("epoll_create1");
    evloop_run(&poller, &listeners);
}
