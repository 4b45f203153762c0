/* SPDX-License-Identifier: MIT */
/* What a process keeps of its descriptors and listeners, and where: for those who look into its memory. */
/* Context: bytes only. */

/*
 * The tables are private memory of each process. Who may read it (process_vm_readv(2), with the rights of
 * a debugger) finds `struct process_tables` at the address in the member's slot (family_layout.h), and
 * the rest through it. All of it may be anything by the time that it is read.
 */
#ifndef FLUXSHIM_FORMAT_PROCESS_TABLES_H
#define FLUXSHIM_FORMAT_PROCESS_TABLES_H

#include <stdatomic.h>
#include <stdint.h>

#define PROCESS_TABLES_MAGIC 0x74786c66u /* "flxt" */

enum fd_kind {
    FD_CONNECTION = 0x01,
    FD_LISTENER = 0x02, /* `activity` is the index in the listener table */
    FD_SIGNALFD = 0x04, /* `activity` is the index in the signalfd table */
    FD_ALIAS = 0x08,    /* with FD_CONNECTION: `activity` is the home descriptor */
    FD_SHARED = 0x10,   /* with FD_CONNECTION: there are, or were, aliases */
    FD_FORCED = 0x20,   /* with FD_CONNECTION: ended by the shim, writes fail with EPIPE */
    FD_RESCUED = 0x40,  /* with FD_CONNECTION: accepted after the refusal, out of the queue */
    FD_LENT = 0x80      /* with FD_CONNECTION: untouched since a fork gave another process a copy */
};

enum evidence_state {
    EVIDENCE_NOTHING,
    EVIDENCE_READ,
    EVIDENCE_WRITTEN,
    EVIDENCE_LISTENING,
    EVIDENCE_SAID /* alone in having bit 2 */
};

struct fd_entry {
    union {
        struct {
            _Atomic uint8_t kind;
            _Atomic uint8_t evidence;   /* enum evidence_state */
            _Atomic uint8_t http_state; /* struct http1, taken apart so that an entry is 16 bytes */
            _Atomic uint8_t http_step;
        };
        _Atomic uint16_t kind_and_evidence; /* both, or all four, in one access */
        _Atomic uint32_t kind_to_step;
    };
    _Atomic uint32_t activity; /* changes with each transfer and each reuse */
    _Atomic uint64_t http_left;
};

_Static_assert(sizeof(struct fd_entry) == 16, "an idle connection costs 16 bytes");

/*
 * Addresses are the process's own. The counter of connections that listener i has accepted is the sum of
 * `stripes` uint64_t's, the first at listeners + i * listener_size + accepted_offset and each 64 bytes
 * from the one before.
 */
struct process_tables {
    uint32_t magic;   /* PROCESS_TABLES_MAGIC, */
    uint32_t size;    /* and sizeof(struct process_tables) */
    uint64_t entries; /* struct fd_entry, by descriptor */
    uint64_t entry_count;
    uint64_t listeners;
    uint32_t listener_count, listener_size;
    uint32_t accepted_offset, stripes;
};

#endif
