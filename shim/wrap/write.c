/* SPDX-License-Identifier: MIT */
/* write, send and their families, sendfile, splice: the program answers. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sigsafe/evidence.h"
#include "sigsafe/transfer.h"
#include "wrap/fdpass.h"
#include "wrap/vector.h"
#include "wrap/wrap.h"

/* A descriptor about to be written, and what was known before. */
struct output {
    struct fd_entry *entry; /* NULL unless it is a connection */
    uint32_t before;        /* evidence_before_write() */
};

static inline struct output before(int fd)
{
    struct fd_entry *entry = evidence_of(fd);

    return (struct output){.entry = entry, .before = entry ? evidence_before_write(entry) : 0};
}

/* The drain has ended this connection: the kernel's answer, without its SIGPIPE. */
static inline int is_cut(const struct output *output)
{
    if (UNLIKELY(output->entry && evidence_forced(output->entry))) {
        errno = EPIPE;
        return 1;
    }
    return 0;
}

/*
 * A blocking write that a handler interrupts returns what it had written by then. Bare, there
 * was no handler and it would have gone on: so go on, if only the shim's handler was there.
 */
static bool goes_on(int fd, uint32_t second, uint32_t third, ssize_t n, int flags)
{
    return transfer_was_cut(second, third, n) && !(flags & MSG_DONTWAIT) &&
           !(real.fcntl(fd, F_GETFL, NULL) & O_NONBLOCK);
}

/*
 * The first call, with these second and third arguments, has taken n bytes of `parts`. Returns what it has
 * taken in the end.
 */
static ssize_t go_on(int fd, uint32_t second, uint32_t third, const struct iovec *parts,
                     size_t count, int flags, ssize_t n)
{
    size_t all = vector_total(parts, count);
    struct iovec rest[16];
    struct msghdr message = {.msg_iov = rest};
    ssize_t more = n;

    while ((size_t)n < all && goes_on(fd, second, third, more, flags)) {
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

/* sendfile moves the offset, or the file's own position, by what it has sent. */
static ssize_t go_on_file(int out, int in, off64_t *offset, size_t size, ssize_t n)
{
    ssize_t more = n;

    while (n > 0 && (size_t)n < size &&
           goes_on(out, TRANSFER_HALF(in), TRANSFER_HALF(offset), more, 0)) {
        TRANSFER(more, out, SO_SNDTIMEO, in, offset,
                 real.sendfile64(out, in, offset, size - (size_t)n));
        n += more > 0 ? more : 0;
    }
    return n;
}

static inline ssize_t whole(int fd, const void *bytes, size_t size, int flags, ssize_t n)
{
    if (UNLIKELY((size_t)n < size)) {
        struct iovec part = {(void *)bytes, size};

        return go_on(fd, TRANSFER_HALF(bytes), TRANSFER_HALF(size), &part, 1, flags, n);
    }
    return n;
}

static inline ssize_t after(const struct output *output, const void *bytes, ssize_t n)
{
    return output->entry && n > 0 ? evidence_has_written(output->entry, output->before, bytes, n)
                                  : n;
}

static inline ssize_t after_parts(const struct output *output, const struct iovec *parts,
                                  size_t count, ssize_t n)
{
    return output->entry ? evidence_after_writev(output->entry, output->before, parts, count, n) : n;
}

static inline ssize_t after_unseen(const struct output *output, ssize_t n)
{
    return output->entry ? evidence_after_send_unseen(output->entry, output->before, n) : n;
}

/* A call that may have to be made again, or to go on. */
struct source {
    int fd;
    const void *bytes;
    size_t size;
};

/* n is not the size: -1, or fewer bytes. */
static __attribute__((cold)) ssize_t write_again(const struct source *source, ssize_t n)
{
    TRANSFER_AGAIN(n, source->fd, SO_SNDTIMEO, source->bytes, source->size,
                   real.write(source->fd, source->bytes, source->size));
    return whole(source->fd, source->bytes, source->size, 0, n);
}

static inline ssize_t write_other(int fd, const void *bytes, size_t size)
{
    struct source source = {fd, bytes, size};

    TRANSFER_KEEP(source);
    ssize_t n = real.write(fd, bytes, size);

    return UNLIKELY((size_t)n != source.size) ? write_again(&source, n) : n;
}

static inline ssize_t write_connection(struct fd_entry *entry, int fd, const void *bytes, size_t size)
{
    struct source source = {fd, bytes, size};
    uint32_t before = evidence_before_write(entry);

    TRANSFER_KEEP(source);
    TRANSFER_KEEP(entry);
    TRANSFER_KEEP(before);
    ssize_t n = real.write(fd, bytes, size);

    if (UNLIKELY((size_t)n != source.size)) {
        n = write_again(&source, n);
    }
    return UNLIKELY(n <= 0) ? n : evidence_has_written(entry, before, source.bytes, n);
}

static __attribute__((noinline)) ssize_t write_unusual(int fd, const void *bytes, size_t size)
{
    struct output output = before(fd);

    if (is_cut(&output)) {
        return -1;
    }
    return output.entry ? write_connection(output.entry, fd, bytes, size)
                        : write_other(fd, bytes, size);
}

WRAP ssize_t write(int fd, const void *bytes, size_t size)
{
    struct fd_entry *entry = evidence_entry(fd);

    if (UNLIKELY(!evidence_is_open(fd))) {
        return write_unusual(fd, bytes, size);
    }
    if (LIKELY(!evidence_is_connection(entry))) {
        return write_other(fd, bytes, size);
    }
    return LIKELY(evidence_is_usual(entry)) ? write_connection(entry, fd, bytes, size)
                                            : write_unusual(fd, bytes, size);
}

WRAP ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, parts, count, real.writev(fd, parts, count));
    if (UNLIKELY(transfer_is_noted(n))) {
        n = go_on(fd, TRANSFER_HALF(parts), (uint32_t)count, parts, (size_t)count, 0, n);
    }
    return after_parts(&output, parts, (size_t)count, n);
}

WRAP ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, bytes, size, real.send(fd, bytes, size, flags));
    return after(&output, bytes, whole(fd, bytes, size, flags, n));
}

WRAP ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
                    socklen_t to_size)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, bytes, size, real.sendto(fd, bytes, size, flags, to, to_size));
    return after(&output, bytes, whole(fd, bytes, size, flags, n));
}

WRAP ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    fdpass_before(message);
    TRANSFER(n, fd, SO_SNDTIMEO, message, flags, real.sendmsg(fd, message, flags));
    if (n <= 0) {
        return n; /* the message may be no memory at all */
    }
    fdpass_sent(message);
    if (UNLIKELY(transfer_is_noted(n))) {
        n = go_on(fd, TRANSFER_HALF(message), (uint32_t)flags, message->msg_iov,
                  message->msg_iovlen, flags, n);
    }
    return after_parts(&output, message->msg_iov, message->msg_iovlen, n);
}

WRAP int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct output output = before(fd);
    int n;

    if (is_cut(&output)) {
        return -1;
    }
    TRANSFER(n, fd, SO_SNDTIMEO, messages, count, real.sendmmsg(fd, messages, count, flags));
    for (int i = 0; i < n; i++) {
        fdpass_sent(&messages[i].msg_hdr);
        (void)after_parts(&output, messages[i].msg_hdr.msg_iov, messages[i].msg_hdr.msg_iovlen,
                          messages[i].msg_len);
        output = before(fd);
    }
    return n;
}

_Static_assert(sizeof(off_t) == sizeof(off64_t), "sendfile and sendfile64 are one call");

WRAP ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    struct output output = before(out);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    TRANSFER(n, out, SO_SNDTIMEO, in, offset, real.sendfile(out, in, offset, size));
    return after_unseen(&output, go_on_file(out, in, (off64_t *)offset, size, n));
}

WRAP ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
    struct output output = before(out);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    TRANSFER(n, out, SO_SNDTIMEO, in, offset, real.sendfile64(out, in, offset, size));
    return after_unseen(&output, go_on_file(out, in, offset, size, n));
}

/* Either end may be a connection: a proxy splices from one through a pipe to the other. */
WRAP ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size,
                    unsigned flags)
{
    struct output output = before(out);
    struct fd_entry *input = evidence_of(in);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    if (input) {
        evidence_before_read(input);
    }
    TRANSFER(n, out, SO_SNDTIMEO, in_offset, out,
             real.splice(in, in_offset, out, out_offset, size, flags));
    if (input) {
        evidence_after_read_unseen(input, n);
    }
    return after_unseen(&output, n);
}
