/* SPDX-License-Identifier: MIT */
/* The time that remains of a wait which the shim has to repeat. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * The start is taken from the coarse clock (5 ns instead of 20; it is at most one tick behind),
 * since only a repeated wait needs it: a wait that the shim has repeated can end a tick early.
 */
#ifndef FLUXSHIM_WRAP_PATIENCE_H
#define FLUXSHIM_WRAP_PATIENCE_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

struct patience {
    int64_t until; /* CLOCK_MONOTONIC ns, -1: no bound */
};

static inline int64_t patience_clock(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline struct patience patience_ms(int ms)
{
    return (struct patience){ms > 0 ? patience_clock() + (int64_t)ms * 1000000 : ms};
}

static inline struct patience patience_timespec(const struct timespec *t)
{
    const int64_t most = INT64_MAX / 4000000000; /* keeps the sum from overflowing */

    if (!t) {
        return (struct patience){-1};
    }
    int64_t seconds = t->tv_sec < most ? t->tv_sec : most;

    return (struct patience){patience_clock() + seconds * 1000000000 + t->tv_nsec};
}

/* NULL for ever, else what is left, not below 0. */
static inline const struct timespec *patience_left(const struct patience *patience,
                                                   struct timespec *room)
{
    if (patience->until < 0) {
        return NULL;
    }
    int64_t left = patience->until - patience_clock();

    left = left > 0 ? left : 0;
    *room = (struct timespec){.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    return room;
}

/* The same in milliseconds, rounded up; -1 for ever. */
static inline int patience_left_ms(const struct patience *patience)
{
    struct timespec room;
    const struct timespec *left = patience_left(patience, &room);

    if (!left) {
        return -1;
    }
    int64_t ms = left->tv_sec * 1000 + (left->tv_nsec + 999999) / 1000000;

    return ms < INT_MAX ? (int)ms : INT_MAX;
}

#endif
