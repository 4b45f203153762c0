/* SPDX-License-Identifier: MIT */
/* read and recv: a request has come, or the program waits for one. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sigsafe/direct.h"
#include "wrap/input.h"

/*
 * read and recv, which most programs live on, in three forms: the usual one in line, without a note of
 * anything (alone_now()); in a program with threads, where libc has to be asked; and for whatever is
 * odd (the gate is shut, a duplicate, flags), where nothing counts but that it is right.
 */
enum call { CALL_READ, CALL_RECV };

struct input {
    int fd, flags; /* of recv */
    void *bytes;
    size_t size;
};

/* -errno if it fails. */
static inline ALWAYS_INLINE ssize_t through_kernel(enum call call, struct input in)
{
    long bytes = (long)in.bytes, size = (long)in.size;

    return call == CALL_READ ? direct_call(SYS_read, in.fd, bytes, size)
                             : direct_call_six(SYS_recvfrom, in.fd, bytes, size, in.flags, 0, 0);
}

static inline ALWAYS_INLINE ssize_t through_libc(enum call call, struct input in)
{
    return call == CALL_READ ? real.read(in.fd, in.bytes, in.size)
                             : real.recv(in.fd, in.bytes, in.size, in.flags);
}

/* It has failed. */
static COLD ssize_t again(enum call call, struct fd_entry *entry, struct input in)
{
    ssize_t n = -1;

    TRANSFER_AGAIN(n, in.fd, SO_RCVTIMEO, in.bytes, in.size, through_libc(call, in));
    return input_after(entry, in.bytes, n);
}

/*
 * From here on scalars, in the order of the call's own: they stay in their registers. A call of the wrapper's own
 * says -errno.
 */
static COLD ssize_t read_failed(int fd, void *bytes, size_t size, long error,
                                struct fd_entry *entry)
{
    errno = (int)-error;
    return again(CALL_READ, entry, (struct input){fd, 0, bytes, size});
}

static COLD ssize_t recv_failed(int fd, void *bytes, size_t size, int flags, long error,
                                struct fd_entry *entry)
{
    errno = (int)-error;
    return again(CALL_RECV, entry, (struct input){fd, flags, bytes, size});
}

static inline ALWAYS_INLINE ssize_t in_threads(enum call call, struct fd_entry *entry,
                                               struct input in)
{
    ssize_t n;

    TRANSFER_KEEP(in);
    TRANSFER_KEEP(entry);
    n = through_libc(call, in);
    return UNLIKELY(n == -1) ? again(call, entry, in) : input_after(entry, in.bytes, n);
}

static NOINLINE ssize_t read_in_threads(int fd, void *bytes, size_t size, struct fd_entry *entry)
{
    return in_threads(CALL_READ, entry, (struct input){fd, 0, bytes, size});
}

static NOINLINE ssize_t recv_in_threads(int fd, void *bytes, size_t size, int flags,
                                        struct fd_entry *entry)
{
    return in_threads(CALL_RECV, entry, (struct input){fd, flags, bytes, size});
}

static NOINLINE ssize_t read_oddly(int fd, void *bytes, size_t size)
{
    return read_in_threads(fd, bytes, size, input_before(fd));
}

static inline ALWAYS_INLINE ssize_t read_usual(bool is_connection, struct fd_entry *entry, int fd,
                                               void *bytes, size_t size)
{
    if (UNLIKELY(!alone_now())) {
        return read_in_threads(fd, bytes, size, entry);
    }
    ssize_t n = through_kernel(CALL_READ, (struct input){fd, 0, bytes, size});

    if (is_connection && LIKELY(n > 0)) {
        return evidence_has_read(entry, bytes, n);
    }
    return UNLIKELY(n < 0) ? read_failed(fd, bytes, size, n, entry) : n;
}

WRAP ssize_t read(int fd, void *bytes, size_t size)
{
    if (UNLIKELY(!evidence_is_open(fd))) {
        return read_oddly(fd, bytes, size);
    }
    struct fd_entry *entry = evidence_entry(fd);

    if (!evidence_is_connection(entry)) {
        return read_usual(false, NULL, fd, bytes, size);
    }
    if (!evidence_is_usual(entry)) {
        return read_oddly(fd, bytes, size);
    }
    evidence_before_read(entry);
    return read_usual(true, entry, fd, bytes, size);
}

static NOINLINE ssize_t recv_oddly(int fd, void *bytes, size_t size, int flags)
{
    struct fd_entry *entry = input_before_recv(fd, flags);
    ssize_t n;

    TRANSFER(n, fd, SO_RCVTIMEO, bytes, size, real.recv(fd, bytes, size, flags));
    return input_after_recv(entry, bytes, flags, input_whole(fd, bytes, size, flags, n));
}

static inline ALWAYS_INLINE ssize_t recv_usual(bool is_connection, struct fd_entry *entry, int fd,
                                               void *bytes, size_t size, int flags)
{
    if (UNLIKELY(!alone_now())) {
        return recv_in_threads(fd, bytes, size, flags, entry);
    }
    ssize_t n = through_kernel(CALL_RECV, (struct input){fd, flags, bytes, size});

    if (is_connection && LIKELY(n > 0)) {
        return evidence_has_read(entry, bytes, n);
    }
    return UNLIKELY(n < 0) ? recv_failed(fd, bytes, size, flags, n, entry) : n;
}

WRAP ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    bool is_odd = (flags & (MSG_PEEK | MSG_ERRQUEUE | MSG_WAITALL | MSG_TRUNC)) != 0;

    if (UNLIKELY(is_odd || !evidence_is_open(fd))) {
        return recv_oddly(fd, bytes, size, flags);
    }
    struct fd_entry *entry = evidence_entry(fd);

    if (!evidence_is_connection(entry)) {
        return recv_usual(false, NULL, fd, bytes, size, flags);
    }
    if (!evidence_is_usual(entry)) {
        return recv_oddly(fd, bytes, size, flags);
    }
    evidence_before_read(entry);
    return recv_usual(true, entry, fd, bytes, size, flags);
}
