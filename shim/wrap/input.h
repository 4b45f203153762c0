/* SPDX-License-Identifier: MIT */
/* What the calls that read from a descriptor have in common. */
/* Context: AS-Safe, MT-Safe. */
#ifndef FLUXSHIM_WRAP_INPUT_H
#define FLUXSHIM_WRAP_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "sigsafe/evidence.h"
#include "sigsafe/transfer.h"
#include "wrap/wrap.h"

static inline struct fd_entry *input_before(int fd)
{
    struct fd_entry *entry = evidence_of(fd);

    if (entry) {
        evidence_before_read(entry);
    }
    return entry;
}

/* A peek takes nothing: the request is still unread. */
static inline struct fd_entry *input_before_recv(int fd, int flags)
{
    return flags & (MSG_PEEK | MSG_ERRQUEUE) ? NULL : input_before(fd);
}

static inline ssize_t input_after(struct fd_entry *entry, const void *bytes, ssize_t n)
{
    return entry && n > 0 ? evidence_has_read(entry, bytes, n) : n;
}

/* With MSG_TRUNC TCP takes bytes and leaves them nowhere (tcp(7)): there may be no memory. */
static inline ssize_t input_after_recv(struct fd_entry *entry, const void *bytes, int flags,
                                       ssize_t n)
{
    if (UNLIKELY(flags & MSG_TRUNC) && entry) {
        evidence_after_read_unseen(entry, n);
        return n;
    }
    return input_after(entry, bytes, n);
}

static inline ssize_t input_after_recvmsg(struct fd_entry *entry, const struct msghdr *message,
                                          int flags, ssize_t n)
{
    if (UNLIKELY(flags & MSG_TRUNC) && entry) {
        evidence_after_read_unseen(entry, n);
        return n;
    }
    return entry ? evidence_after_readv(entry, message->msg_iov, message->msg_iovlen, n) : n;
}

/*
 * MSG_WAITALL: the shim's handler may have cut the wait short, then wait for the rest. The first call, with
 * these second and third arguments, has brought n bytes.
 */
ssize_t input_wait_all(int fd, uint32_t second, uint32_t third, const struct iovec *parts,
                       size_t count, int flags, ssize_t n);

static inline bool input_waits_for_all(int flags)
{
    return UNLIKELY((flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL);
}

static inline ssize_t input_whole(int fd, void *bytes, size_t size, int flags, ssize_t n)
{
    if (input_waits_for_all(flags)) {
        struct iovec part = {bytes, size};

        return input_wait_all(fd, TRANSFER_HALF(bytes), TRANSFER_HALF(size), &part, 1, flags, n);
    }
    return n;
}

#endif
