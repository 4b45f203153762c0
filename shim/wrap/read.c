/* SPDX-License-Identifier: MIT */
/* read, recv and their families: a request has come, or the program waits for one. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sigsafe/evidence.h"
#include "sigsafe/transfer.h"
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

static inline ssize_t after(struct fd_entry *entry, const void *bytes, ssize_t n)
{
    return entry && n > 0 ? evidence_has_read(entry, bytes, n) : n;
}

/* A call that may have to be made again. */
struct input {
    int fd;
    void *bytes;
    size_t size;
};

static __attribute__((cold)) ssize_t read_again(const struct input *input)
{
    ssize_t n = -1;

    TRANSFER_AGAIN(n, input->fd, SO_RCVTIMEO, input->bytes, input->size,
                   real.read(input->fd, input->bytes, input->size));
    return n;
}

static inline ssize_t read_other(int fd, void *bytes, size_t size)
{
    struct input input = {fd, bytes, size};

    TRANSFER_KEEP(input);
    ssize_t n = real.read(fd, bytes, size);

    return UNLIKELY(n == -1) ? read_again(&input) : n;
}

static inline ssize_t read_connection(struct fd_entry *entry, int fd, void *bytes, size_t size)
{
    struct input input = {fd, bytes, size};

    evidence_before_read(entry);
    TRANSFER_KEEP(input);
    TRANSFER_KEEP(entry);
    ssize_t n = real.read(fd, bytes, size);

    if (UNLIKELY(n <= 0)) {
        return n == 0 ? 0 : after(entry, input.bytes, read_again(&input));
    }
    return evidence_has_read(entry, input.bytes, n);
}

static __attribute__((noinline)) ssize_t read_unusual(int fd, void *bytes, size_t size)
{
    struct fd_entry *entry = evidence_of(fd);

    return entry ? read_connection(entry, fd, bytes, size) : read_other(fd, bytes, size);
}

WRAP ssize_t read(int fd, void *bytes, size_t size)
{
    struct fd_entry *entry = evidence_entry(fd);

    if (UNLIKELY(!evidence_is_open(fd))) {
        return read_unusual(fd, bytes, size);
    }
    if (LIKELY(!evidence_is_connection(entry))) {
        return read_other(fd, bytes, size);
    }
    return LIKELY(evidence_is_usual(entry)) ? read_connection(entry, fd, bytes, size)
                                            : read_unusual(fd, bytes, size);
}

WRAP ssize_t readv(int fd, const struct iovec *parts, int count)
{
    struct fd_entry *entry = before(fd);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, parts, count, real.readv(fd, parts, count));
    return entry ? evidence_after_readv(entry, parts, (size_t)count, n) : n;
}

/*
 * MSG_WAITALL: the shim's handler may have cut the wait short, then wait for the rest. The first call, with
 * these second and third arguments, has brought n bytes.
 */
static ssize_t wait_all(int fd, uint32_t second, uint32_t third, const struct iovec *parts,
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

static inline bool waits_for_all(int flags)
{
    return UNLIKELY((flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL);
}

static inline ssize_t whole(int fd, void *bytes, size_t size, int flags, ssize_t n)
{
    if (waits_for_all(flags)) {
        struct iovec part = {bytes, size};

        return wait_all(fd, TRANSFER_HALF(bytes), TRANSFER_HALF(size), &part, 1, flags, n);
    }
    return n;
}

WRAP ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.recv(fd, bytes, size, flags));
    return after(entry, bytes, whole(fd, bytes, size, flags, n));
}

WRAP ssize_t recvfrom(int fd, void *restrict bytes, size_t size, int flags,
                      struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size,
             real.recvfrom(fd, bytes, size, flags, from, from_size));
    return after(entry, bytes, whole(fd, bytes, size, flags, n));
}

WRAP ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, message, flags, real.recvmsg(fd, message, flags));
    if (n <= 0) {
        return n; /* the message may be no memory at all */
    }
    fdpass_received(message, flags);
    if (waits_for_all(flags)) {
        n = wait_all(fd, TRANSFER_HALF(message), (uint32_t)flags, message->msg_iov,
                     message->msg_iovlen, flags, n);
    }
    return entry ? evidence_after_readv(entry, message->msg_iov, message->msg_iovlen, n) : n;
}

WRAP int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags,
                  struct timespec *timeout)
{
    struct fd_entry *entry = before_recv(fd, flags);
    int n;

    TRANSFER(n, fd, SO_RCVTIMEO, messages, count,
             real.recvmmsg(fd, messages, count, flags, timeout));
    for (int i = 0; i < n; i++) {
        fdpass_received(&messages[i].msg_hdr, flags);
    }
    for (int i = 0; entry && i < n; i++) {
        (void)evidence_after_readv(entry, messages[i].msg_hdr.msg_iov, messages[i].msg_hdr.msg_iovlen,
                             messages[i].msg_len);
    }
    return n;
}

/* What _FORTIFY_SOURCE turns the calls into; the check itself is libc's. */
WRAP ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    struct fd_entry *entry = before(fd);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.__read_chk(fd, bytes, size, room));
    return after(entry, bytes, n);
}

WRAP ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.__recv_chk(fd, bytes, size, room, flags));
    return after(entry, bytes, n);
}

WRAP ssize_t __recvfrom_chk(int fd, void *restrict bytes, size_t size, size_t room, int flags,
                            struct sockaddr *restrict from, socklen_t *restrict from_size)
{
    struct fd_entry *entry = before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size,
             real.__recvfrom_chk(fd, bytes, size, room, flags, from, from_size));
    return after(entry, bytes, n);
}
