/* SPDX-License-Identifier: MIT */
/* What the calls that write to a descriptor have in common. */
/* Context: AS-Safe, MT-Safe. */

/*
 * A blocking write that a handler interrupts returns what it had written by then. Bare, there was no handler and
 * it would have gone on: so it does, if only the shim's handler was there (transfer.h).
 *
 *     struct output output = output_before(fd);
 *     if (output_is_cut(output)) return -1;
 *     n = real.write(...);
 *     n = output_go_on(...);
 *     return output_after(output, bytes, n);
 */
#ifndef FLUXSHIM_WRAP_OUTPUT_H
#define FLUXSHIM_WRAP_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "sigsafe/evidence.h"
#include "sigsafe/transfer.h"
#include "wrap/wrap.h"

/* A descriptor about to be written, and what was known before. */
struct output {
    struct fd_entry *entry; /* NULL unless it is a connection */
    uint32_t before;        /* evidence_before_write() */
};

static inline struct output output_to(struct fd_entry *entry)
{
    return (struct output){.entry = entry, .before = entry ? evidence_before_write(entry) : 0};
}

static inline struct output output_before(int fd)
{
    return output_to(evidence_of(fd));
}

/* The drain has ended this connection: the kernel's answer, without its SIGPIPE. */
static inline int output_is_cut(struct output output)
{
    if (UNLIKELY(output.entry && evidence_forced(output.entry))) {
        errno = EPIPE;
        return 1;
    }
    return 0;
}

/* Is the rest to be written? The call with these second and third arguments has returned n. */
bool output_goes_on(int fd, uint32_t second, uint32_t third, ssize_t n, int flags);

/*
 * That call was of `parts`, with the flags of send (0: write). Returns what it has taken in the end.
 */
ssize_t output_go_on(int fd, uint32_t second, uint32_t third, const struct iovec *parts,
                     size_t count, int flags, ssize_t n);

/* The same of one buffer. */
static inline ssize_t output_whole(int fd, const void *bytes, size_t size, int flags, ssize_t n)
{
    if (UNLIKELY((size_t)n < size)) {
        struct iovec part = {(void *)bytes, size};

        return output_go_on(fd, TRANSFER_HALF(bytes), TRANSFER_HALF(size), &part, 1, flags, n);
    }
    return n;
}

static inline ssize_t output_after(struct output output, const void *bytes, ssize_t n)
{
    return output.entry && n > 0 ? evidence_has_written(output.entry, output.before, bytes, n) : n;
}

#endif
