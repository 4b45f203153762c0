/* SPDX-License-Identifier: MIT */
/* Delta debugging over ranges of steps. */
/* Context: the comparing program. */
#include "shrink.h"

#include <string.h>

#include "pair.h"

enum { SURE = 2 };

static bool differs_without(const struct steps *steps, size_t from, size_t n,
                            struct steps *ret_less)
{
    static struct steps less;

    less.count = steps->count - n;
    memcpy(less.step, steps->step, from * sizeof *less.step);
    memcpy(less.step + from, steps->step + from + n, (steps->count - from - n) * sizeof *less.step);
    if (!pair_differs_surely(&less, SURE))
        return false;
    *ret_less = less;
    return true;
}

/* Backwards: what comes after the difference goes first. */
static bool drop(struct steps *steps, size_t n)
{
    bool dropped = false;

    for (size_t end = steps->count; end >= n; end = end > n ? end - n : 0) {
        if (end <= steps->count && differs_without(steps, end - n, n, steps))
            dropped = true;
    }
    return dropped;
}

void shrink(struct steps *steps)
{
    for (size_t n = steps->count / 2; n > 0; n /= 2) {
        while (drop(steps, n) && n == 1) {
        }
    }
}
