/* SPDX-License-Identifier: MIT */
/* In flight or idle: what the read and write wrappers note of a connection. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A connection is in one of four states (and a fifth for a program that has said its last word):
 *
 *     NOTHING --read--> READ --write--> WRITTEN --read attempted--> LISTENING --read--> READ
 *                                          any --shutdown(SHUT_WR)--> SAID
 *
 * READ means that the peer is owed an answer. A read *attempt* after a write says that the
 * program is back to waiting for a request, so it is noted before the call, which may block.
 * Beside it the framing of plain HTTP/1 responses is followed (format/http1.h), so that the end
 * of a response is known and not guessed.
 *
 * The wrappers' fast path is one load and compare: evidence_of() is NULL for any descriptor that
 * isn't a connection.
 */
#ifndef FLUXSHIM_SIGSAFE_EVIDENCE_H
#define FLUXSHIM_SIGSAFE_EVIDENCE_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "format/http1.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"

/* Follow HTTP/1 responses (FLUX_HTTP); set while arming. */
extern bool evidence_http;

/* The entry that holds the evidence for fd, or NULL. */
static inline struct fd_entry *evidence_of(int fd)
{
    struct fd_entry *entry = fdtab_find(fd);
    uint8_t kind = entry ? atomic_load_explicit(&entry->kind, memory_order_acquire) : 0;

    if (__builtin_expect(!(kind & FD_CONNECTION), 1) || life_thread.in_vfork) {
        return NULL;
    }
    return __builtin_expect(kind & FD_ALIAS, 0) ? fdtab_connection(fd, NULL) : entry;
}

static inline void evidence_set(struct fd_entry *entry, enum evidence_state state)
{
    atomic_store_explicit(&entry->evidence, (uint8_t)state, memory_order_relaxed);
}

static inline enum evidence_state evidence_get(const struct fd_entry *entry)
{
    return (enum evidence_state)atomic_load_explicit(&entry->evidence, memory_order_relaxed);
}

/* Before a read of any kind. */
static inline void evidence_before_read(struct fd_entry *entry)
{
    if (evidence_get(entry) == EVIDENCE_WRITTEN) {
        evidence_set(entry, EVIDENCE_LISTENING);
    }
}

/* After a read that returned n; `first` is where the first bytes went, `room` its size. */
void evidence_after_read(struct fd_entry *entry, const void *first, size_t room, ssize_t n);
void evidence_after_readv(struct fd_entry *entry, const struct iovec *parts, size_t count,
                          ssize_t n);

/*
 * Before a write: what to hand to the call after it. Where another thread has read the next
 * request before the writing one gets to note its write, the connection stays READ.
 */
static inline uint32_t evidence_before_write(const struct fd_entry *entry)
{
    return atomic_load_explicit(&entry->activity, memory_order_relaxed);
}

/* After a write of which the kernel took n bytes. */
void evidence_after_write(struct fd_entry *entry, uint32_t before, const void *bytes, ssize_t n);
void evidence_after_writev(struct fd_entry *entry, uint32_t before, const struct iovec *parts,
                           size_t count, ssize_t n);

/* After n bytes were sent that the wrapper can't see (sendfile, splice). */
void evidence_after_send_unseen(struct fd_entry *entry, uint32_t before, ssize_t n);

/* The shim has ended this connection at the drain's end: a write fails, and raises no SIGPIPE. */
static inline bool evidence_forced(const struct fd_entry *entry)
{
    return (atomic_load_explicit(&entry->kind, memory_order_relaxed) & FD_FORCED) != 0;
}

/* What is known of the last HTTP/1 response. */
enum http1_answer evidence_http_answer(const struct fd_entry *entry);

#endif
