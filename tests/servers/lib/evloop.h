/* SPDX-License-Identifier: MIT */
/* The single-threaded event loop, on whichever system call waits for the descriptors. */
#ifndef SERVERS_EVLOOP_H
#define SERVERS_EVLOOP_H

#include <signal.h>
#include <stdbool.h>

#include "listeners.h"

struct ready {
    int fd;
    bool readable;
    bool writable;
    bool broken; /* hang-up or error */
};

enum { READY_MAX = 256, EVLOOP_FD_MAX = 65536 };

/* What epoll.c, poll.c and select.c each provide. */
struct poller {
    /* Registers a descriptor or changes what is watched; false if it can't be. */
    bool (*watch)(int fd, bool readable, bool writable);
    void (*forget)(int fd);
    /* As poll(2): the number of `ready` filled in, or -1 and errno. `mask` may be NULL. */
    int (*wait)(struct ready ready[READY_MAX], int timeout_ms, const sigset_t *mask);
};

void evloop_run(const struct poller *poller, const struct listeners *listeners)
    __attribute__((noreturn));

#endif
