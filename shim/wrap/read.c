/* SPDX-License-Identifier: MIT */
/* read, recv and their families: a request has come, or the program waits for one. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sigsafe/evidence.h"
#include "sigsafe/safepoint.h"
#include "wrap/fdpass.h"
#include "wrap/fortified.h"
#include "wrap/vector.h"
#include "wrap/wrap.h"

static inline struct fd_entry *before(int fd)
{
    struct fd_entry *entry = evidence_of(fd);

    if (entry) {
        evidence_before_read(entry);
    }
    return entry;
}

/* A peek takes nothing: the request is still unread. */
static inline struct fd_entry *before_recv(int fd, int flags)
{
    return flags & (MSG_PEEK | MSG_ERRQUEUE) ? NULL : before(fd);
}

static inline ssize_t after(struct fd_entry *entry, const void *bytes, size_t room, ssize_t n)
{
    if (entry) {
        evidence_after_read(entry, bytes, room, n);
    }
    return n;
}

WRAP ssize_t read(int fd, void *bytes, size_t size)
{
    struct fd_entry *entry = before(fd);
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.read(fd, bytes, size));
    return after(entry, bytes, size, n);
}

WRAP ssize_t readv(int fd, const struct iovec *parts, int count)
{
    struct fd_entry *entry = before(fd);
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.readv(fd, parts, count));
    if (entry && n > 0) {
        evidence_after_readv(entry, parts, (size_t)count, n);
    }
    return n;
}

/* MSG_WAITALL: only the shim's handler has cut the wait short, so wait for the rest. */
static ssize_t wait_all(int fd, const struct iovec *parts, size_t count, int flags, ssize_t n,
                        uint32_t visits)
{
    bool waits = (flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL;
    size_t all = waits ? vector_total(parts, count) : 0;

    while (n > 0 && (size_t)n < all && life_thread.visits != visits && !life_released()) {
        struct iovec rest[16];
        struct msghdr message = {.msg_iov = rest};
        ssize_t more;

        message.msg_iovlen = vector_behind(parts, count, (size_t)n, rest, 16);
        WAIT_FOR_SOCKET(more, fd, SO_RCVTIMEO, real.recvmsg(fd, &message, flags));
        if (more <= 0) {
            break; /* the next call will say why */
        }
        n += more;
    }
    return n;
}

WRAP ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    struct fd_entry *entry = before_recv(fd, flags);
    uint32_t visits = life_thread.visits;
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.recv(fd, bytes, size, flags));
    n = wait_all(fd, &(struct iovec){bytes, size}, 1, flags, n, visits);
    return after(entry, bytes, size, n);
}

WRAP ssize_t recvfrom(int fd, void *restrict bytes, size_t size, int flags,
                      struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    struct fd_entry *entry = before_recv(fd, flags);
    uint32_t visits = life_thread.visits;
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.recvfrom(fd, bytes, size, flags, from, from_size));
    n = wait_all(fd, &(struct iovec){bytes, size}, 1, flags, n, visits);
    return after(entry, bytes, size, n);
}

WRAP ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct fd_entry *entry = before_recv(fd, flags);
    uint32_t visits = life_thread.visits;
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.recvmsg(fd, message, flags));
    if (n <= 0) {
        return n; /* the message may be no memory at all */
    }
    fdpass_received(message, flags);
    n = wait_all(fd, message->msg_iov, message->msg_iovlen, flags, n, visits);
    if (entry) {
        evidence_after_readv(entry, message->msg_iov, message->msg_iovlen, n);
    }
    return n;
}

WRAP int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout)
{
    struct fd_entry *entry = before_recv(fd, flags);
    int n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.recvmmsg(fd, messages, count, flags, timeout));
    for (int i = 0; i < n; i++) {
        fdpass_received(&messages[i].msg_hdr, flags);
    }
    for (int i = 0; entry && i < n; i++) {
        evidence_after_readv(entry, messages[i].msg_hdr.msg_iov, messages[i].msg_hdr.msg_iovlen,
                             messages[i].msg_len);
    }
    return n;
}

/* What _FORTIFY_SOURCE turns the calls into; the check itself is libc's. */
WRAP ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    struct fd_entry *entry = before(fd);
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.__read_chk(fd, bytes, size, room));
    return after(entry, bytes, size, n);
}

WRAP ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO, real.__recv_chk(fd, bytes, size, room, flags));
    return after(entry, bytes, size, n);
}

WRAP ssize_t __recvfrom_chk(int fd, void *restrict bytes, size_t size, size_t room, int flags,
                            struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    WAIT_FOR_SOCKET(n, fd, SO_RCVTIMEO,
                    real.__recvfrom_chk(fd, bytes, size, room, flags, from, from_size));
    return after(entry, bytes, size, n);
}
