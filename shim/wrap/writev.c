/* SPDX-License-Identifier: MIT */
/* writev, sendto, sendmsg, sendmmsg: what write.c is for several parts, or with an address. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "sigsafe/direct.h"
#include "wrap/fdpass.h"
#include "wrap/output.h"

static inline ssize_t after_parts(struct output output, const struct iovec *parts, size_t count,
                                  ssize_t n)
{
    return output.entry ? evidence_after_writev(output.entry, output.before, parts, count, n) : n;
}

WRAP ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct output output = output_before(fd);
    ssize_t n;

    if (output_is_cut(output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, parts, count,
             TRANSFER_DIRECT(SYS_writev, real.writev, fd, parts, count));
    if (UNLIKELY(transfer_is_noted(n))) {
        n = output_go_on(fd, TRANSFER_HALF(parts), (uint32_t)count, parts, (size_t)count, 0, n);
    }
    return after_parts(output, parts, (size_t)count, n);
}

WRAP ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
                    socklen_t to_size)
{
    struct output output = output_before(fd);
    ssize_t n;

    if (output_is_cut(output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, bytes, size, real.sendto(fd, bytes, size, flags, to, to_size));
    return output_after(output, bytes, output_whole(fd, bytes, size, flags, n));
}

WRAP ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct output output = output_before(fd);
    ssize_t n;

    if (output_is_cut(output)) {
        return -1;
    }
    fdpass_before(message);
    TRANSFER(n, fd, SO_SNDTIMEO, message, flags,
             TRANSFER_DIRECT(SYS_sendmsg, real.sendmsg, fd, message, flags));
    if (n <= 0) {
        return n; /* the message may be no memory at all */
    }
    fdpass_sent(message);
    if (UNLIKELY(transfer_is_noted(n))) {
        n = output_go_on(fd, TRANSFER_HALF(message), (uint32_t)flags, message->msg_iov,
                         message->msg_iovlen, flags, n);
    }
    return after_parts(output, message->msg_iov, message->msg_iovlen, n);
}

WRAP int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct output output = output_before(fd);
    int n;

    if (output_is_cut(output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, messages, count, real.sendmmsg(fd, messages, count, flags));
    for (int i = 0; i < n; i++) {
        fdpass_sent(&messages[i].msg_hdr);
        (void)after_parts(output, messages[i].msg_hdr.msg_iov, messages[i].msg_hdr.msg_iovlen,
                          messages[i].msg_len);
        output = output_before(fd);
    }
    return n;
}
