/* SPDX-License-Identifier: MIT */
/* What is left of an iovec when a transfer has been cut short. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#ifndef FLUXSHIM_WRAP_VECTOR_H
#define FLUXSHIM_WRAP_VECTOR_H

#include <stddef.h>
#include <sys/uio.h>

static inline size_t vector_total(const struct iovec *parts, size_t count)
{
    size_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += parts[i].iov_len;
    }
    return sum;
}

/* What is left of `parts` behind the first n bytes, as far as it fits into `room`. */
static inline size_t vector_behind(const struct iovec *parts, size_t count, size_t n,
                                   struct iovec *room, size_t most)
{
    size_t used = 0;

    for (size_t i = 0; i < count && used < most; i++) {
        size_t skip = n < parts[i].iov_len ? n : parts[i].iov_len;

        n -= skip;
        if (skip < parts[i].iov_len) {
            room[used++] =
                (struct iovec){(char *)parts[i].iov_base + skip, parts[i].iov_len - skip};
        }
    }
    return used;
}

#endif
