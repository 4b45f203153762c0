/* SPDX-License-Identifier: MIT */
/* The rest of a write that the shim's handler has cut short. */
/* Context: AS-Safe, MT-Safe. */
#include <fcntl.h>
#include <sys/socket.h>

#include "wrap/output.h"
#include "wrap/vector.h"

bool output_goes_on(int fd, uint32_t second, uint32_t third, ssize_t n, int flags)
{
    return transfer_was_cut(second, third, n) && !(flags & MSG_DONTWAIT) &&
           !(real.fcntl(fd, F_GETFL, NULL) & O_NONBLOCK);
}

ssize_t output_go_on(int fd, uint32_t second, uint32_t third, const struct iovec *parts,
                     size_t count, int flags, ssize_t n)
{
    size_t all = vector_total(parts, count);
    struct iovec rest[16];
    struct msghdr message = {.msg_iov = rest};
    ssize_t more = n;

    while ((size_t)n < all && output_goes_on(fd, second, third, more, flags)) {
        message.msg_iovlen = vector_behind(parts, count, (size_t)n, rest, 16);
        second = TRANSFER_HALF(flags ? (void *)&message : (void *)rest);
        third = flags ? (uint32_t)flags : (uint32_t)message.msg_iovlen;
        TRANSFER(more, fd, SO_SNDTIMEO, second, third,
                 flags ? real.sendmsg(fd, &message, flags)
                       : real.writev(fd, rest, (int)message.msg_iovlen));
        n += more > 0 ? more : 0; /* else the next call will say why */
    }
    return n;
}
