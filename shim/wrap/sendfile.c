/* SPDX-License-Identifier: MIT */
/* sendfile, splice: an answer that the program hasn't seen itself. */
/* Context: AS-Safe, MT-Safe, cancellation points. */
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <fcntl.h>

#include "wrap/output.h"

static inline ssize_t after_unseen(struct output output, ssize_t n)
{
    return output.entry ? evidence_after_send_unseen(output.entry, output.before, n) : n;
}

/* sendfile moves the offset, or the file's own position, by what it has sent. */
static ssize_t go_on_file(int out, int in, off64_t *offset, size_t size, ssize_t n)
{
    ssize_t more = n;

    while (n > 0 && (size_t)n < size &&
           output_goes_on(out, TRANSFER_HALF(in), TRANSFER_HALF(offset), more, 0)) {
        TRANSFER(more, out, SO_SNDTIMEO, in, offset,
                 real.sendfile64(out, in, offset, size - (size_t)n));
        n += more > 0 ? more : 0;
    }
    return n;
}

_Static_assert(sizeof(off_t) == sizeof(off64_t), "sendfile and sendfile64 are one call");

WRAP ssize_t sendfile(int out, int in, off_t *offset, size_t size)
{
    struct output output = output_before(out);
    ssize_t n;

    if (output_is_cut(output)) {
        return -1;
    }
    TRANSFER(n, out, SO_SNDTIMEO, in, offset, real.sendfile(out, in, offset, size));
    return after_unseen(output, go_on_file(out, in, (off64_t *)offset, size, n));
}

WRAP ssize_t sendfile64(int out, int in, off64_t *offset, size_t size)
{
    struct output output = output_before(out);
    ssize_t n;

    if (output_is_cut(output)) {
        return -1;
    }
    TRANSFER(n, out, SO_SNDTIMEO, in, offset, real.sendfile64(out, in, offset, size));
    return after_unseen(output, go_on_file(out, in, offset, size, n));
}

/* Either end may be a connection: a proxy splices from one through a pipe to the other. */
WRAP ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t size,
                    unsigned flags)
{
    struct output output = output_before(out);
    struct fd_entry *input = evidence_of(in);
    ssize_t n;

    if (output_is_cut(output)) {
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
    return after_unseen(output, n);
}
