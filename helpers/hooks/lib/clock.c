/* SPDX-License-Identifier: MIT */
/* The monotonic clock. */
/* Context: AS-Safe, MT-Safe. */
#include "lib/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

int64_t clock_after(int64_t ms)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + ms;
}

int clock_left(int64_t deadline)
{
    int64_t left = deadline - clock_after(0);

    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

int clock_poll(int fd, short events, int64_t deadline)
{
    struct pollfd entry = {.fd = fd, .events = events};
    int n;

    do {
        n = poll(&entry, 1, clock_left(deadline));
    } while (n < 0 && errno == EINTR);
    return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}
