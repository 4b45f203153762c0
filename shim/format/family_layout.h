/* SPDX-License-Identifier: MIT */
/* The memory that the processes of a family share: one slot for each of them. */
/* Context: bytes only; every field may be written by any member at any time. */

/*
 * A member can be less privileged than another, and can be killed in the middle of a write. So
 * nothing in here is a length, an address or an index that is used unchecked; a pid is believed
 * only as far as the kernel confirms it (engine/members.c); and a lie costs at most the wait up to
 * the drain timeout.
 */
#ifndef FLUXSHIM_FORMAT_FAMILY_LAYOUT_H
#define FLUXSHIM_FORMAT_FAMILY_LAYOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "format/settings.h"

#define FAMILY_MAGIC     0x66756c66u /* "fluf": a file without it is none of ours */
#define FAMILY_VERSION   2u
#define FAMILY_MOST      1024u /* members at a time; index 0 is the process that armed */
#define FAMILY_LISTENERS 256u  /* listeners that are known to all */
#define FAMILY_ADDRESS   128u  /* sizeof(struct sockaddr_storage) */
#define FAMILY_NAME      64u   /* of a hook, its NUL included */
#define FAMILY_PHASES    8u    /* enum flux_phases, fluxshim.h */

/* With one of these bits of the cookie changed, the family's signal is an order to its owner. */
#define FAMILY_SAVE  UINT64_C(1) /* write a checkpoint now */
#define FAMILY_STOP  UINT64_C(2) /* stop, as SIGTERM would have it; see `drain_wanted` */
#define FAMILY_HURRY UINT64_C(4) /* end the drain now */

/* What a slot is used for. */
enum family_state {
    FAMILY_FREE,
    FAMILY_RESERVED, /* a fork is under way */
    FAMILY_CLEAN,    /* never held a connection: owes the drain nothing */
    FAMILY_ACTIVE,   /* accepts, or was forked with connections */
    FAMILY_PROGRAM,  /* became another program by exec, and took a connection along */
    FAMILY_OTHER     /* became another program by exec, without one */
};

/* The family's own phase, written by its owner. */
enum family_phase {
    FAMILY_RUNNING,
    FAMILY_DRAIN,   /* the owner drains: so does everyone who is told */
    FAMILY_FORCE,   /* the drain's time is over */
    FAMILY_HOOKS,   /* the drain is over, and each member that was told runs its own hooks */
    FAMILY_RELEASED /* the owner has its signal: members that hold one may have theirs */
};

/* Why it stops. */
enum family_reason { FAMILY_NO_REASON, FAMILY_SIGNAL, FAMILY_DEMAND, FAMILY_EXIT };

struct family_member {
    _Alignas(128) _Atomic uint32_t state; /* enum family_state; neighbours share no cache line */
    _Atomic int32_t pid;                  /* in the pid namespace of whoever forked it */
    _Atomic uint32_t parent;              /* slot of the process that forked it */
    _Atomic uint32_t bell;                /* futex word that its coordinator sleeps on */
    _Atomic uint32_t told;                /* it has heard of the drain */
    _Atomic uint32_t round;               /* the last of the owner's rounds that it has answered */
    _Atomic uint32_t left;                /* connections left, as of that answer */
    _Atomic uint32_t forced_all;          /* it has forced what was left */
    _Atomic uint32_t telling;             /* its owner is just sending it the family's signal */
    _Atomic uint32_t passive;    /* in a sandbox, can't be told: `left` is its present count */
    _Atomic uint32_t hooks_done; /* it has run them */
    _Atomic int64_t
        alive_ms; /* CLOCK_BOOTTIME at which `pid` was it, 0: not known yet (process.h) */
    _Atomic uint64_t accepted;
    _Atomic uint64_t at_signal;
    _Atomic uint64_t drained;
    _Atomic uint64_t nudged;
    _Atomic uint64_t forced;
    _Atomic uint64_t tables; /* address of its struct process_tables (process_tables.h), or 0 */
    _Atomic uint32_t phase;  /* enum flux_phases: its own, when it stops */
};

_Static_assert(sizeof(struct family_member) == 128, "a slot is two cache lines");

/* A socket on which some member listens; never taken back, since its connections outlive it. */
struct family_listener {
    _Atomic uint64_t cookie;       /* SO_COOKIE; 0: unused, or being written */
    _Atomic uint32_t address_size; /* at most FAMILY_ADDRESS */
    uint8_t address[FAMILY_ADDRESS];
};

/*
 * A stop as it goes on, for those who look: the owner's coordinator writes it, and nobody in the family
 * reads it. Times are nanoseconds of CLOCK_MONOTONIC.
 */
struct family_stop {
    _Atomic uint32_t phase;  /* enum flux_phases */
    _Atomic uint32_t reason; /* enum family_reason */
    _Atomic int32_t signo;
    _Atomic int32_t sender_pid; /* 0: unknown */
    _Atomic uint32_t sender_uid;
    _Atomic uint32_t second;                   /* somebody has lost his patience */
    _Atomic int64_t entered_ns[FAMILY_PHASES]; /* 0: not, or not yet */
    _Atomic int64_t deadline_ns;               /* of the present phase, INT64_MAX: none */
    _Atomic int64_t end_ns;                    /* of it all */
    _Atomic uint64_t left, left_at_signal;     /* connections, of all members */
    _Atomic uint64_t drained, nudged, forced;  /* counted when the drain is over */
    _Atomic uint32_t hooks, hook;              /* how many, and which one is called; from 1 */
    uint8_t hook_name[FAMILY_NAME];
};

/* The checkpoints of its owner. */
struct family_saving {
    _Atomic uint64_t generation; /* of the last one */
    _Atomic uint32_t saves;      /* tried so far, by this process */
    _Atomic int32_t error;       /* of the last one, 0 or -errno */
};

struct family_layout {
    uint32_t magic;         /* FAMILY_MAGIC, */
    uint32_t version;       /* FAMILY_VERSION */
    uint64_t size;          /* and sizeof(struct family_layout), constant once founded */
    uint64_t cookie;        /* marks the family's own signals, */
    uint32_t signo;         /* which are this one; 0: none was free */
    uint32_t pid_namespace; /* inode of the founder's /proc/self/ns/pid; 0: not known */
    _Alignas(64) _Atomic uint32_t owner; /* slot */
    _Atomic uint32_t phase;              /* enum family_phase */
    _Atomic uint32_t round;              /* the owner asks everyone to look again */
    _Atomic uint32_t high;               /* one more than the highest slot ever used */
    _Atomic int64_t began_ns;            /* of the drain, CLOCK_MONOTONIC */
    _Atomic uint32_t refused;  /* the owner has shut AF_UNIX listeners down, or is about to */
    _Atomic uint64_t passed;   /* connections sent to another process by SCM_RIGHTS, */
    _Atomic uint64_t received; /* and taken by one */
    _Atomic uint32_t forks;    /* begun so far: a look at the slots that overlaps one is repeated */
    _Atomic uint32_t cleaned;  /* an exit has run hooks and checkpoint */
    _Atomic uint32_t listener_count; /* ever published: a slot is this modulo FAMILY_LISTENERS */
    struct family_member members[FAMILY_MOST];
    struct family_listener listeners[FAMILY_LISTENERS];
    struct family_stop stop;
    struct family_saving saving;
    _Atomic uint64_t drain_wanted; /* with FAMILY_STOP: ns + 1; 0: FLUX_DRAIN_TIMEOUT */
    struct settings settings;      /* the founder's, constant */
};

_Static_assert(offsetof(struct family_layout, owner) == 64, "what is constant has its cache line");

#endif
