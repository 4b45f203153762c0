/* SPDX-License-Identifier: MIT */
/* What each descriptor is to the shim: a table of atomics, indexed by descriptor. */
/* Context: AS-Safe, MT-Safe, never blocks; fdtab_map() is for arming only. */

/*
 * An entry is 16 bytes. A connection's evidence belongs to the open file description, not to the
 * descriptor: a dup'ed descriptor is an ALIAS whose `activity` names the *home* entry that holds
 * the state. When a home that is SHARED is closed, one of its aliases becomes the home.
 *
 * Order of calls: forget before close, record after accept: a number is reused at once.
 *
 *     fdtab_forget(fd); real.close(fd);            fd = real.accept(...); fdtab_record(fd, ...);
 *
 * Who writes: `kind` by the wrappers that make and close descriptors; the evidence fields by
 * whichever thread reads or writes the connection. Two threads on one connection can lose each
 * other's update of `activity`, which still changes; that is all its readers need. All accesses
 * are relaxed but for `kind`, which is stored last with release when an entry comes to life.
 */
#ifndef FLUXSHIM_SIGSAFE_FDTAB_H
#define FLUXSHIM_SIGSAFE_FDTAB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "format/process_tables.h"
#include "sigsafe/inner.h"

struct fdtab {
    struct fd_entry *entries; /* set while arming, constant afterwards */
    _Atomic uint32_t gate;    /* descriptors below it may be looked up without a further question */
    _Atomic uint32_t size;    /* 0 until mapped: no descriptor is found */
    _Atomic uint32_t high;    /* one more than the highest descriptor recorded */
    _Atomic uint32_t vforks;  /* threads that wait for a vfork child, which runs in our memory */
    uint8_t fresh_http;       /* http_state of a new connection: FLUX_HTTP; set while arming */
};

extern struct fdtab fdtab INNER;

/*
 * Map room for every descriptor up to RLIMIT_NOFILE's hard limit (4 Mi at most), in untouched
 * pages. With too little address space the table is halved until it fits: descriptors beyond it
 * aren't tracked. Returns the number of entries, or -errno.
 */
int fdtab_map(void);

/*
 * The gate: `size` while an armed process serves and nothing is out of the ordinary. Else 0: there is work for
 * a safe point (safepoint.h), a vfork child may be the one who asks, the process drains, is sandboxed, or is
 * not armed. One compare stands for all of that on the wrappers' fast path. Shut it after what is the
 * reason has been set; whoever finds it shut takes the long way, which asks for each, and opens it again
 * if there is none. fdtab_reopen() says whether the caller is a vfork child.
 */
void fdtab_shut(void);
bool fdtab_reopen(void);

/* Around a vfork, in the parent. */
void fdtab_vfork_begins(void);
void fdtab_vfork_ends(void);

static inline struct fd_entry *fdtab_find(int fd)
{
    uint32_t size = atomic_load_explicit(&fdtab.size, memory_order_acquire);

    return (uint32_t)fd < size ? &fdtab.entries[fd] : NULL;
}

static inline uint8_t fdtab_kind(int fd)
{
    struct fd_entry *entry = fdtab_find(fd);

    return entry ? atomic_load_explicit(&entry->kind, memory_order_acquire) : 0;
}

/* Let it come to life, as this. */
static inline void fdtab_renew(struct fd_entry *entry, uint8_t kind, uint32_t activity)
{
    union {
        uint8_t bytes[4];
        uint32_t word;
    } first = {{kind, EVIDENCE_NOTHING, fdtab.fresh_http, 0}};

    atomic_store_explicit(&entry->http_left, 0, memory_order_relaxed);
    atomic_store_explicit(&entry->activity, activity, memory_order_relaxed);
    atomic_store_explicit(&entry->kind_to_step, first.word, memory_order_release);
}

/* The home entry of a connection, or NULL if fd is none. *ret_home may be NULL. */
struct fd_entry *fdtab_connection(int fd, int *ret_home);

/* fd has just been made. `index` is for listeners and signalfds. A connection starts afresh. */
void fdtab_record(int fd, uint8_t kind, uint32_t index);

/* Descriptors below `above` are in use. */
void fdtab_raise_high(uint32_t above);

/* The usual case, of a descriptor before the gate: a connection has come. */
static inline void fdtab_record_connection(int fd)
{
    struct fd_entry *entry = &fdtab.entries[(uint32_t)fd];

    fdtab_renew(entry, FD_CONNECTION, INNER_PEEK(uint32_t, entry->activity) + 1);
    if (__builtin_expect((uint32_t)fd >= INNER_PEEK(uint32_t, fdtab.high), 0)) {
        fdtab_raise_high((uint32_t)fd + 1);
    }
}

/* fd is about to be closed, or replaced by dup2. Returns the kind that it had. */
uint8_t fdtab_forget(int fd);

/* `to` is now a duplicate of `from`, whatever that is. */
void fdtab_copy(int from, int to);

/* A fork comes: mark every connection as FD_LENT, in both processes. True if there are any. */
bool fdtab_lend(void);

/* Connections, each counted once however many descriptors it has. */
uint32_t fdtab_count_connections(void);

/* Any connection at all? Looks at the whole table. */
bool fdtab_has_connections(void);

/* Give the table back: arming has failed. */
void fdtab_unmap(void);

/* Forget every descriptor of a range, both ends included. Returns true if a connection was one. */
bool fdtab_forget_range(unsigned first, unsigned last);

#endif
