/* SPDX-License-Identifier: MIT */
/* Notes reads and writes of connections in their table entries. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "sigsafe/evidence.h"

bool evidence_http = true;

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

static void touch(struct fd_entry *entry)
{
    uint32_t activity = atomic_load_explicit(&entry->activity, memory_order_relaxed);

    atomic_store_explicit(&entry->activity, activity + 1, memory_order_relaxed);
    if (__builtin_expect(atomic_load_explicit(&entry->kind, memory_order_relaxed) & FD_LENT, 0)) {
        atomic_fetch_and_explicit(&entry->kind, (uint8_t)~FD_LENT, memory_order_relaxed);
    }
}

void evidence_after_read(struct fd_entry *entry, const void *first, size_t room, ssize_t n)
{
    if (n <= 0) {
        return;
    }
    if (evidence_http) {
        struct http1 http = load_http(entry);

        http1_request(&http, first, (size_t)n < room ? (size_t)n : room);
        store_http(entry, &http);
    }
    touch(entry);
    if (evidence_get(entry) != EVIDENCE_SAID) {
        evidence_set(entry, EVIDENCE_READ);
    }
}

void evidence_after_readv(struct fd_entry *entry, const struct iovec *parts, size_t count,
                          ssize_t n)
{
    static const struct iovec none;
    const struct iovec *first = count > 0 ? parts : &none;

    evidence_after_read(entry, first->iov_base, first->iov_len, n);
}

static void wrote(struct fd_entry *entry, uint32_t before)
{
    bool undisturbed = before == evidence_before_write(entry);

    touch(entry);
    if (undisturbed && evidence_get(entry) != EVIDENCE_SAID) {
        evidence_set(entry, EVIDENCE_WRITTEN);
    }
}

void evidence_after_write(struct fd_entry *entry, uint32_t before, const void *bytes, ssize_t n)
{
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = n > 0 ? (size_t)n : 0};

    evidence_after_writev(entry, before, &part, 1, n);
}

void evidence_after_writev(struct fd_entry *entry, uint32_t before, const struct iovec *parts,
                           size_t count, ssize_t n)
{
    if (n <= 0) {
        return;
    }
    if (evidence_http) {
        struct http1 http = load_http(entry);
        size_t left = (size_t)n;

        for (size_t i = 0; i < count && left > 0; i++) {
            size_t taken = parts[i].iov_len < left ? parts[i].iov_len : left;

            http1_write(&http, parts[i].iov_base, taken);
            left -= taken;
        }
        store_http(entry, &http);
    }
    wrote(entry, before);
}

void evidence_after_send_unseen(struct fd_entry *entry, uint32_t before, ssize_t n)
{
    if (n <= 0) {
        return;
    }
    if (evidence_http) {
        struct http1 http = load_http(entry);

        http1_skip(&http, (size_t)n);
        store_http(entry, &http);
    }
    wrote(entry, before);
}

enum http1_answer evidence_http_answer(const struct fd_entry *entry)
{
    struct http1 http = load_http(entry);

    return evidence_http ? http1_answer(&http) : HTTP1_UNKNOWN;
}
