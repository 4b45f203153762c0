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
#include "sigsafe/safepoint.h"
#include "wrap/fdpass.h"
#include "wrap/vector.h"
#include "wrap/wrap.h"

/* A descriptor about to be written, and what was known before. */
struct output {
    int fd;
    struct fd_entry *entry; /* NULL unless it is a connection */
    uint32_t before;        /* evidence_before_write() */
    uint32_t visits;        /* of the shim's handler so far */
};

static inline struct output before(int fd)
{
    struct fd_entry *entry = evidence_of(fd);

    return (struct output){.fd = fd,
                           .entry = entry,
                           .before = entry ? evidence_before_write(entry) : 0,
                           .visits = life_thread.visits};
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
static bool was_cut_short(const struct output *output, ssize_t n, size_t all, int flags)
{
    return n > 0 && (size_t)n < all && life_thread.visits != output->visits && !life_released() &&
           !(flags & MSG_DONTWAIT) && !(real.fcntl(output->fd, F_GETFL, NULL) & O_NONBLOCK);
}

static ssize_t go_on(const struct output *output, const struct iovec *parts, size_t count,
                     ssize_t n, int flags)
{
    struct iovec rest[16];
    size_t all = vector_total(parts, count);

    while (was_cut_short(output, n, all, flags)) {
        struct msghdr message = {.msg_iov = rest};
        ssize_t more;

        message.msg_iovlen = vector_behind(parts, count, (size_t)n, rest, 16);
        WAIT_FOR_SOCKET(more, output->fd, SO_SNDTIMEO,
                        flags ? real.sendmsg(output->fd, &message, flags)
                              : real.writev(output->fd, rest, (int)message.msg_iovlen));
        if (more <= 0) {
            break; /* the next call will say why */
        }
        n += more;
    }
    return n;
}

/* sendfile moves the offset, or the file's own position, by what it has sent. */
static ssize_t go_on_file(const struct output *output, int in, off64_t *offset, size_t size,
                          ssize_t n)
{
    while (was_cut_short(output, n, size, 0)) {
        ssize_t more;

        WAIT_FOR_SOCKET(more, output->fd, SO_SNDTIMEO,
                        real.sendfile64(output->fd, in, offset, size - (size_t)n));
        if (more <= 0) {
            break;
        }
        n += more;
    }
    return n;
}

static inline ssize_t whole(const struct output *output, const void *bytes, size_t size, ssize_t n,
                            int flags)
{
    if (UNLIKELY(life_thread.visits != output->visits)) {
        struct iovec part = {(void *)bytes, size};

        return go_on(output, &part, 1, n, flags);
    }
    return n;
}

static inline ssize_t whole_parts(const struct output *output, const struct iovec *parts,
                                  size_t count, ssize_t n, int flags)
{
    return UNLIKELY(life_thread.visits != output->visits) ? go_on(output, parts, count, n, flags)
                                                          : n;
}

static inline ssize_t after(const struct output *output, const void *bytes, ssize_t n)
{
    if (output->entry) {
        evidence_after_write(output->entry, output->before, bytes, n);
    }
    return n;
}

static inline ssize_t after_parts(const struct output *output, const struct iovec *parts,
                                  size_t count, ssize_t n)
{
    if (output->entry) {
        evidence_after_writev(output->entry, output->before, parts, count, n);
    }
    return n;
}

static inline ssize_t after_unseen(const struct output *output, ssize_t n)
{
    if (output->entry) {
        evidence_after_send_unseen(output->entry, output->before, n);
    }
    return n;
}

WRAP ssize_t write(int fd, const void *bytes, size_t size)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    WAIT_FOR_SOCKET(n, fd, SO_SNDTIMEO, real.write(fd, bytes, size));
    return after(&output, bytes, whole(&output, bytes, size, n, 0));
}

WRAP ssize_t writev(int fd, const struct iovec *parts, int count)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    WAIT_FOR_SOCKET(n, fd, SO_SNDTIMEO, real.writev(fd, parts, count));
    n = whole_parts(&output, parts, (size_t)count, n, 0);
    return after_parts(&output, parts, (size_t)count, n);
}

WRAP ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    WAIT_FOR_SOCKET(n, fd, SO_SNDTIMEO, real.send(fd, bytes, size, flags));
    return after(&output, bytes, whole(&output, bytes, size, n, flags));
}

WRAP ssize_t sendto(int fd, const void *bytes, size_t size, int flags, const struct sockaddr *to,
                    socklen_t to_size)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    WAIT_FOR_SOCKET(n, fd, SO_SNDTIMEO, real.sendto(fd, bytes, size, flags, to, to_size));
    return after(&output, bytes, whole(&output, bytes, size, n, flags));
}

WRAP ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    struct output output = before(fd);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    fdpass_before(message);
    WAIT_FOR_SOCKET(n, fd, SO_SNDTIMEO, real.sendmsg(fd, message, flags));
    if (n <= 0) {
        return n; /* the message may be no memory at all */
    }
    fdpass_sent(message);
    n = whole_parts(&output, message->msg_iov, message->msg_iovlen, n, flags);
    return after_parts(&output, message->msg_iov, message->msg_iovlen, n);
}

WRAP int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    struct output output = before(fd);
    int n;

    if (is_cut(&output)) {
        return -1;
    }
    WAIT_FOR_SOCKET(n, fd, SO_SNDTIMEO, real.sendmmsg(fd, messages, count, flags));
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
    WAIT_FOR_SOCKET(n, out, SO_SNDTIMEO, real.sendfile(out, in, offset, size));
    return after_unseen(&output, go_on_file(&output, in, (off64_t *)offset, size, n));
}

WRAP ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
    struct output output = before(out);
    ssize_t n;

    if (is_cut(&output)) {
        return -1;
    }
    WAIT_FOR_SOCKET(n, out, SO_SNDTIMEO, real.sendfile64(out, in, offset, size));
    return after_unseen(&output, go_on_file(&output, in, offset, size, n));
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
    WAIT_FOR_SOCKET(n, out, SO_SNDTIMEO, real.splice(in, in_offset, out, out_offset, size, flags));
    if (input) {
        evidence_after_read(input, NULL, 0, n);
    }
    return after_unseen(&output, n);
}
