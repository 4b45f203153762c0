/* SPDX-License-Identifier: MIT */
/* Notes reads and writes of connections in their table entries. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "sigsafe/evidence.h"

#include "sigsafe/safepoint.h"

/*
 * Two threads that write one connection at the same instant can garble the framing state. The
 * parser accepts any state; what it then says is wrong for this connection only.
 */
static struct http1 load_http(const struct fd_entry *entry)
{
    return (struct http1){
        .left = atomic_load_explicit(&entry->http_left, memory_order_relaxed),
        .state = atomic_load_explicit(&entry->http_state, memory_order_relaxed),
        .step = atomic_load_explicit(&entry->http_step, memory_order_relaxed),
    };
}

static void store_http(struct fd_entry *entry, const struct http1 *http)
{
    atomic_store_explicit(&entry->http_left, http->left, memory_order_relaxed);
    atomic_store_explicit(&entry->http_state, http->state, memory_order_relaxed);
    atomic_store_explicit(&entry->http_step, http->step, memory_order_relaxed);
}

struct fd_entry *evidence_look(int fd)
{
    if (atomic_load_explicit(&life->work, memory_order_relaxed) != 0) {
        safepoint_do_work();
    }
    return fdtab_reopen() ? NULL : fdtab_connection(fd, NULL);
}

/* A transfer says that a copied connection is this process's own (fdtab_lend()). */
static void note_oddly(struct fd_entry *entry, enum evidence_state state)
{
    if (atomic_load_explicit(&entry->kind, memory_order_relaxed) & FD_LENT) {
        atomic_fetch_and_explicit(&entry->kind, (uint8_t)~FD_LENT, memory_order_relaxed);
    }
    if (evidence_get(entry) != EVIDENCE_SAID) {
        evidence_set(entry, state);
    }
}

static bool is_followed(const struct fd_entry *entry)
{
    return atomic_load_explicit(&entry->http_state, memory_order_relaxed) != HTTP1_OFF;
}

ssize_t evidence_look_at_request(struct fd_entry *entry, const void *first, ssize_t n)
{
    struct http1 http = load_http(entry);

    http1_request(&http, first, (size_t)n);
    store_http(entry, &http);
    return n;
}

ssize_t evidence_has_read_oddly(struct fd_entry *entry, const void *first, ssize_t n)
{
    note_oddly(entry, EVIDENCE_READ);
    return evidence_look_at_request(entry, first, n);
}

ssize_t evidence_after_readv(struct fd_entry *entry, const struct iovec *parts, size_t count,
                             ssize_t n)
{
    if (n > 0 && count > 0) {
        size_t room = parts->iov_len;

        (void)evidence_has_read(entry, parts->iov_base, (size_t)n < room ? n : (ssize_t)room);
    }
    return n;
}

void evidence_after_read_unseen(struct fd_entry *entry, ssize_t n)
{
    if (n > 0) {
        (void)evidence_has_read(entry, NULL, 0);
    }
}

ssize_t evidence_follow(struct fd_entry *entry, const void *bytes, ssize_t n)
{
    struct http1 http = load_http(entry);

    http1_write(&http, bytes, (size_t)n);
    store_http(entry, &http);
    return n;
}

static void wrote(struct fd_entry *entry, uint32_t before)
{
    uint32_t activity = evidence_activity(entry);

    evidence_count(entry, activity);
    note_oddly(entry, activity == before ? EVIDENCE_WRITTEN : evidence_get(entry));
}

ssize_t evidence_has_written_oddly(struct fd_entry *entry, uint32_t before, const void *bytes,
                                   ssize_t n)
{
    wrote(entry, before);
    return is_followed(entry) ? evidence_follow(entry, bytes, n) : n;
}

ssize_t evidence_after_writev(struct fd_entry *entry, uint32_t before, const struct iovec *parts,
                              size_t count, ssize_t n)
{
    size_t left = n > 0 ? (size_t)n : 0;

    for (size_t i = 0; i < count && left > 0 && is_followed(entry); i++) {
        size_t taken = parts[i].iov_len < left ? parts[i].iov_len : left;

        left -= (size_t)evidence_follow(entry, parts[i].iov_base, (ssize_t)taken);
    }
    if (n > 0) {
        wrote(entry, before);
    }
    return n;
}

ssize_t evidence_after_send_unseen(struct fd_entry *entry, uint32_t before, ssize_t n)
{
    if (n <= 0) {
        return n;
    }
    if (is_followed(entry)) {
        struct http1 http = load_http(entry);

        http1_skip(&http, (size_t)n);
        store_http(entry, &http);
    }
    wrote(entry, before);
    return n;
}

enum http1_answer evidence_http_answer(const struct fd_entry *entry)
{
    struct http1 http = load_http(entry);

    return http1_answer(&http);
}
