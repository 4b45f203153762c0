/* SPDX-License-Identifier: MIT */
/* readv, recvfrom, recvmsg, recvmmsg, and what _FORTIFY_SOURCE turns reads into. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "sigsafe/direct.h"
#include "wrap/fdpass.h"
#include "wrap/fortified.h"
#include "wrap/input.h"

WRAP ssize_t readv(int fd, const struct iovec *parts, int count)
{
    struct fd_entry *entry = input_before(fd);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, parts, count,
             TRANSFER_DIRECT(SYS_readv, real.readv, fd, parts, count));
    return entry ? evidence_after_readv(entry, parts, (size_t)count, n) : n;
}

WRAP ssize_t recvfrom(int fd, void *restrict bytes, size_t size, int flags,
                      struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    struct fd_entry *entry = input_before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size,
             real.recvfrom(fd, bytes, size, flags, from, from_size));
    return input_after_recv(entry, bytes, flags, input_whole(fd, bytes, size, flags, n));
}

WRAP ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct fd_entry *entry = input_before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, message, flags,
             TRANSFER_DIRECT(SYS_recvmsg, real.recvmsg, fd, message, flags));
    if (n <= 0) {
        return n; /* the message may be no memory at all */
    }
    fdpass_received(message, flags);
    if (input_waits_for_all(flags)) {
        n = input_wait_all(fd, TRANSFER_HALF(message), (uint32_t)flags, message->msg_iov,
                           message->msg_iovlen, flags, n);
    }
    return input_after_recvmsg(entry, message, flags, n);
}

WRAP int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout)
{
    struct fd_entry *entry = input_before_recv(fd, flags);
    int n;

    TRANSFER(n, fd, SO_RCVTIMEO, messages, count,
             real.recvmmsg(fd, messages, count, flags, timeout));
    for (int i = 0; i < n; i++) {
        fdpass_received(&messages[i].msg_hdr, flags);
    }
    for (int i = 0; entry && i < n; i++) {
        (void)input_after_recvmsg(entry, &messages[i].msg_hdr, flags, messages[i].msg_len);
    }
    return n;
}

/* What _FORTIFY_SOURCE turns the calls into; the check itself is libc's. */
WRAP ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    struct fd_entry *entry = input_before(fd);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.__read_chk(fd, bytes, size, room));
    return input_after(entry, bytes, n);
}

WRAP ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    struct fd_entry *entry = input_before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.__recv_chk(fd, bytes, size, room, flags));
    return input_after_recv(entry, bytes, flags, n);
}

WRAP ssize_t __recvfrom_chk(int fd, void *restrict bytes, size_t size, size_t room, int flags,
                            struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    struct fd_entry *entry = input_before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size,
             real.__recvfrom_chk(fd, bytes, size, room, flags, from, from_size));
    return input_after_recv(entry, bytes, flags, n);
}
