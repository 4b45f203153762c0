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
 * isn't a connection. What else is inline here is what a usual read and write of a connection runs through:
 * a call of the program's is some 200 ns, and each branch behind it is one that the kernel has made
 * the processor forget.
 */
#ifndef FLUXSHIM_SIGSAFE_EVIDENCE_H
#define FLUXSHIM_SIGSAFE_EVIDENCE_H

#include <stddef.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "format/http1.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"

/* Of a descriptor at or beyond the gate (fdtab.h): does what is to be done, and looks again. */
struct fd_entry *evidence_look(int fd);

/* May the entry of fd be looked at without a further question? Else evidence_of() asks it. */
static inline bool evidence_is_open(int fd)
{
    return __builtin_expect((uint32_t)fd < INNER_PEEK(uint32_t, fdtab.gate), 1);
}

static inline struct fd_entry *evidence_entry(int fd)
{
    return &fdtab.entries[(uint32_t)fd];
}

static inline bool evidence_is_connection(const struct fd_entry *entry)
{
    return INNER_PEEK(uint8_t, entry->kind) & FD_CONNECTION;
}

/*
 * Of a connection: is its entry all that is to be known? A duplicate has its evidence elsewhere, one that was
 * cut is not written.
 */
static inline bool evidence_is_usual(const struct fd_entry *entry)
{
    return __builtin_expect(!(INNER_PEEK(uint8_t, entry->kind) & (FD_ALIAS | FD_FORCED)), 1);
}

/* The entry that holds the evidence for fd, or NULL. */
static inline struct fd_entry *evidence_of(int fd)
{
    if (!evidence_is_open(fd)) {
        return evidence_look(fd);
    }
    struct fd_entry *entry = evidence_entry(fd);

    if (!evidence_is_connection(entry)) {
        return NULL;
    }
    return evidence_is_usual(entry) ? entry : fdtab_connection(fd, NULL);
}

static inline void evidence_set(struct fd_entry *entry, enum evidence_state state)
{
    atomic_store_explicit(&entry->evidence, (uint8_t)state, memory_order_relaxed);
}

static inline enum evidence_state evidence_get(const struct fd_entry *entry)
{
    return (enum evidence_state)atomic_load_explicit(&entry->evidence, memory_order_relaxed);
}

/* No more of a connection's life than its next state is to be noted: nothing was lent or said. */
static inline bool evidence_is_plain(const struct fd_entry *entry)
{
    const uint8_t odd[2] = {FD_LENT, EVIDENCE_SAID};
    uint16_t mask;

    memcpy(&mask, odd, sizeof(mask));
    return !(INNER_PEEK(uint16_t, entry->kind_and_evidence) & mask);
}

static inline uint32_t evidence_activity(const struct fd_entry *entry)
{
    return INNER_PEEK(uint32_t, entry->activity);
}

static inline void evidence_count(struct fd_entry *entry, uint32_t activity)
{
    atomic_store_explicit(&entry->activity, activity + 1, memory_order_relaxed);
}

/* Before a read of any kind. */
static inline void evidence_before_read(struct fd_entry *entry)
{
    if (INNER_PEEK(uint8_t, entry->evidence) == EVIDENCE_WRITTEN) {
        evidence_set(entry, EVIDENCE_LISTENING);
    }
}

/* The rarer parts of the next; they return n. */
ssize_t evidence_has_read_oddly(struct fd_entry *entry, const void *first, ssize_t n);
ssize_t evidence_look_at_request(struct fd_entry *entry, const void *first, ssize_t n);

/* After a read of n > 0 bytes, of which the first are at `first`. Returns n. */
static inline ssize_t evidence_has_read(struct fd_entry *entry, const void *first, ssize_t n)
{
    evidence_count(entry, evidence_activity(entry));
    if (__builtin_expect(!evidence_is_plain(entry), 0)) {
        return evidence_has_read_oddly(entry, first, n);
    }
    evidence_set(entry, EVIDENCE_READ);
    return (INNER_PEEK(uint8_t, entry->http_state) & 15) <= HTTP1_DONE
               ? evidence_look_at_request(entry, first, n)
               : n;
}

/* The same of a call that may have failed, and into several parts. Returns n. */
ssize_t evidence_after_readv(struct fd_entry *entry, const struct iovec *parts, size_t count,
                             ssize_t n);

/*
 * Before a write: what to hand to the call after it. Where another thread has read the next
 * request before the writing one gets to note its write, the connection stays READ.
 */
static inline uint32_t evidence_before_write(const struct fd_entry *entry)
{
    return evidence_activity(entry);
}

/* The rarer parts of the next; they return n. */
ssize_t evidence_has_written_oddly(struct fd_entry *entry, uint32_t before, const void *bytes,
                                   ssize_t n);
ssize_t evidence_follow(struct fd_entry *entry, const void *bytes, ssize_t n);

/* After a write of which the kernel took n > 0 bytes. Returns n. */
static inline ssize_t evidence_has_written(struct fd_entry *entry, uint32_t before,
                                           const void *bytes, ssize_t n)
{
    uint32_t activity = evidence_activity(entry);

    if (__builtin_expect(activity != before || !evidence_is_plain(entry), 0)) {
        return evidence_has_written_oddly(entry, before, bytes, n);
    }
    evidence_count(entry, activity);
    evidence_set(entry, EVIDENCE_WRITTEN);
    return INNER_PEEK(uint8_t, entry->http_state) != HTTP1_OFF ? evidence_follow(entry, bytes, n)
                                                               : n;
}

/* The same of a call that may have failed, and from several parts. Returns n. */
ssize_t evidence_after_writev(struct fd_entry *entry, uint32_t before, const struct iovec *parts,
                              size_t count, ssize_t n);

/* After n bytes were sent that the wrapper can't see (sendfile, splice). Returns n. */
ssize_t evidence_after_send_unseen(struct fd_entry *entry, uint32_t before, ssize_t n);

/* After a read of n bytes that the wrapper can't see (splice). */
void evidence_after_read_unseen(struct fd_entry *entry, ssize_t n);

/* The shim has ended this connection at the drain's end: a write fails, and raises no SIGPIPE. */
static inline bool evidence_forced(const struct fd_entry *entry)
{
    return (atomic_load_explicit(&entry->kind, memory_order_relaxed) & FD_FORCED) != 0;
}

/* What is known of the last HTTP/1 response. */
enum http1_answer evidence_http_answer(const struct fd_entry *entry);

#endif
