/* SPDX-License-Identifier: MIT */
/* write and send: the program answers. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sigsafe/direct.h"
#include "wrap/output.h"

/* write and send in three forms, as read and recv (read.c). */
enum call { CALL_WRITE, CALL_SEND };

struct source {
    int fd, flags; /* of send */
    const void *bytes;
    size_t size;
};

/* -errno if it fails. */
static inline ALWAYS_INLINE ssize_t through_kernel(enum call call, struct source from)
{
    long bytes = (long)from.bytes, size = (long)from.size;

    return call == CALL_WRITE ? direct_call(SYS_write, from.fd, bytes, size)
                              : direct_call_six(SYS_sendto, from.fd, bytes, size, from.flags, 0, 0);
}

static inline ALWAYS_INLINE ssize_t through_libc(enum call call, struct source from)
{
    return call == CALL_WRITE ? real.write(from.fd, from.bytes, from.size)
                              : real.send(from.fd, from.bytes, from.size, from.flags);
}

/* n is not the size: it has failed, or was cut short. */
static COLD ssize_t again(enum call call, struct output output, struct source from, ssize_t n)
{
    TRANSFER_AGAIN(n, from.fd, SO_SNDTIMEO, from.bytes, from.size, through_libc(call, from));
    return output_after(output, from.bytes,
                        output_whole(from.fd, from.bytes, from.size, from.flags, n));
}

static inline ALWAYS_INLINE ssize_t in_threads(enum call call, struct output output,
                                               struct source from)
{
    TRANSFER_KEEP(from);
    TRANSFER_KEEP(output);
    ssize_t n = through_libc(call, from);

    return UNLIKELY((size_t)n != from.size) ? again(call, output, from, n)
                                            : output_after(output, from.bytes, n);
}

/*
 * From here on scalars, in the order of the call's own: they stay in their registers. A call of the wrapper's own
 * says -errno.
 */
static COLD ssize_t write_again(int fd, const void *bytes, size_t size, long n, uint32_t before,
                                struct fd_entry *entry)
{
    return again(CALL_WRITE, (struct output){entry, before}, (struct source){fd, 0, bytes, size},
                 transfer_result(n));
}

static COLD ssize_t send_again(int fd, const void *bytes, size_t size, int flags, long n,
                               uint32_t before, struct fd_entry *entry)
{
    return again(CALL_SEND, (struct output){entry, before}, (struct source){fd, flags, bytes, size},
                 transfer_result(n));
}

static NOINLINE ssize_t write_in_threads(int fd, const void *bytes, size_t size,
                                         struct fd_entry *entry)
{
    return in_threads(CALL_WRITE, output_to(entry), (struct source){fd, 0, bytes, size});
}

static NOINLINE ssize_t send_in_threads(int fd, const void *bytes, size_t size, int flags,
                                        struct fd_entry *entry)
{
    return in_threads(CALL_SEND, output_to(entry), (struct source){fd, flags, bytes, size});
}

static NOINLINE ssize_t write_oddly(int fd, const void *bytes, size_t size)
{
    struct output output = output_before(fd);

    return output_is_cut(output) ? -1 : write_in_threads(fd, bytes, size, output.entry);
}

static NOINLINE ssize_t send_oddly(int fd, const void *bytes, size_t size, int flags)
{
    struct output output = output_before(fd);

    return output_is_cut(output) ? -1 : send_in_threads(fd, bytes, size, flags, output.entry);
}

static inline ALWAYS_INLINE ssize_t write_usual(bool is_connection, struct fd_entry *entry, int fd,
                                                const void *bytes, size_t size)
{
    if (UNLIKELY(!alone_now())) {
        return write_in_threads(fd, bytes, size, entry);
    }
    uint32_t before = is_connection ? evidence_before_write(entry) : 0;
    ssize_t n = through_kernel(CALL_WRITE, (struct source){fd, 0, bytes, size});

    if (UNLIKELY((size_t)n != size)) {
        return write_again(fd, bytes, size, n, before, entry);
    }
    return is_connection && LIKELY(n > 0) ? evidence_has_written(entry, before, bytes, n) : n;
}

static inline ALWAYS_INLINE ssize_t send_usual(bool is_connection, struct fd_entry *entry, int fd,
                                               const void *bytes, size_t size, int flags)
{
    if (UNLIKELY(!alone_now())) {
        return send_in_threads(fd, bytes, size, flags, entry);
    }
    uint32_t before = is_connection ? evidence_before_write(entry) : 0;
    ssize_t n = through_kernel(CALL_SEND, (struct source){fd, flags, bytes, size});

    if (UNLIKELY((size_t)n != size)) {
        return send_again(fd, bytes, size, flags, n, before, entry);
    }
    return is_connection && LIKELY(n > 0) ? evidence_has_written(entry, before, bytes, n) : n;
}

WRAP ssize_t write(int fd, const void *bytes, size_t size)
{
    if (UNLIKELY(!evidence_is_open(fd))) {
        return write_oddly(fd, bytes, size);
    }
    struct fd_entry *entry = evidence_entry(fd);

    if (!evidence_is_connection(entry)) {
        return write_usual(false, NULL, fd, bytes, size);
    }
    if (!evidence_is_usual(entry)) {
        return write_oddly(fd, bytes, size);
    }
    return write_usual(true, entry, fd, bytes, size);
}

WRAP ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    if (UNLIKELY(!evidence_is_open(fd))) {
        return send_oddly(fd, bytes, size, flags);
    }
    struct fd_entry *entry = evidence_entry(fd);

    if (!evidence_is_connection(entry)) {
        return send_usual(false, NULL, fd, bytes, size, flags);
    }
    if (!evidence_is_usual(entry)) {
        return send_oddly(fd, bytes, size, flags);
    }
    return send_usual(true, entry, fd, bytes, size, flags);
}
