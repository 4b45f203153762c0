/* SPDX-License-Identifier: MIT */
/* The rest of a read that was to wait for all of it. */
/* Context: AS-Safe, MT-Safe. */
#include "wrap/input.h"
#include "wrap/vector.h"

ssize_t input_wait_all(int fd, uint32_t second, uint32_t third, const struct iovec *parts,
                       size_t count, int flags, ssize_t n)
{
    size_t all = vector_total(parts, count);
    struct iovec rest[16];
    struct msghdr message = {.msg_iov = rest};
    ssize_t more = n;

    while (n > 0 && (size_t)n < all && transfer_was_cut(second, third, more)) {
        message.msg_iovlen = vector_behind(parts, count, (size_t)n, rest, 16);
        second = TRANSFER_HALF(&message);
        third = (uint32_t)flags;
        TRANSFER(more, fd, SO_RCVTIMEO, second, third, real.recvmsg(fd, &message, flags));
        n += more > 0 ? more : 0; /* else the next call will say why */
    }
    return n;
}
