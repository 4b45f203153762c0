/* SPDX-License-Identifier: MIT */
/* close, shutdown, close_range, closefrom, fclose, freopen: where descriptors end. */
/* Context: AS-Safe where the call is, MT-Safe. Forget before close: a number is reused at once. */
#include <limits.h>
#include <linux/close_range.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sigsafe/direct.h"
#include "sigsafe/evidence.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/transfer.h"
#include "wrap/gone.h"
#include "wrap/wrap.h"

static uint8_t forget(int fd)
{
    return life_tracks() ? fdtab_forget(fd) : 0;
}

static NOINLINE int close_oddly(int fd)
{
    (void)fdtab_reopen();
    uint8_t kind = forget(fd);
    int result = real.close(fd);

    has_gone(kind);
    return result;
}

/* It has failed, or a drain has begun meanwhile. */
static COLD int closed_oddly(long result, uint8_t kind)
{
    has_gone(kind);
    return (int)transfer_result(result);
}

static NOINLINE int close_in_threads(int fd, uint8_t kind)
{
    int result = real.close(fd);

    if (UNLIKELY(!evidence_is_open(fd))) {
        has_gone(kind);
    }
    return result;
}

WRAP int close(int fd)
{
    if (UNLIKELY(!evidence_is_open(fd))) {
        return close_oddly(fd);
    }
    struct fd_entry *entry = evidence_entry(fd);
    uint8_t kind = INNER_PEEK(uint8_t, entry->kind);

    if (kind != 0) {
        if (UNLIKELY(kind != FD_CONNECTION)) {
            return close_oddly(fd);
        }
        atomic_store_explicit(&entry->kind, 0, memory_order_release);
    }
    if (UNLIKELY(!alone_now())) {
        return close_in_threads(fd, kind);
    }
    long result = direct_call(SYS_close, fd, 0, 0);

    return LIKELY(result == 0 && evidence_is_open(fd)) ? 0 : closed_oddly(result, kind);
}

/* The sending side is closed: the program has said its last word on this connection. */
WRAP int shutdown(int fd, int how)
{
    int result = real.shutdown(fd, how);
    struct fd_entry *entry = result == 0 && how != SHUT_RD ? evidence_of(fd) : NULL;

    if (entry) {
        evidence_set(entry, EVIDENCE_SAID);
    }
    return result;
}

static bool forget_range(unsigned first, unsigned last)
{
    return life_tracks() && fdtab_forget_range(first, last);
}

WRAP int close_range(unsigned first, unsigned last, int flags)
{
    bool closes = first <= last && (flags & ~CLOSE_RANGE_UNSHARE) == 0;
    bool gone = closes && forget_range(first, last);
    int result = real.close_range(first, last, flags);

    has_gone(gone);
    return result;
}

WRAP void closefrom(int low)
{
    bool gone = forget_range(low < 0 ? 0 : (unsigned)low, UINT_MAX);

    real.closefrom(low);
    has_gone(gone);
}

/* What is still buffered belongs to the connection: flush it while the table knows it. */
static uint8_t flush_and_forget(FILE *stream)
{
    int fd = fileno(stream);

    if (evidence_of(fd)) {
        (void)fflush(stream);
    }
    return forget(fd);
}

WRAP int fclose(FILE *stream)
{
    uint8_t kind = flush_and_forget(stream);
    int result = real.fclose(stream);

    has_gone(kind);
    return result;
}

WRAP FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict stream)
{
    uint8_t kind = flush_and_forget(stream);
    FILE *result = real.freopen(path, mode, stream);

    has_gone(kind);
    return result;
}

WRAP FILE *freopen64(const char *restrict path, const char *restrict mode, FILE *restrict stream)
{
    uint8_t kind = flush_and_forget(stream);
    FILE *result = real.freopen64(path, mode, stream);

    has_gone(kind);
    return result;
}
