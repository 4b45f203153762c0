/* SPDX-License-Identifier: MIT */
/* The life of a shimmed process: armed or not, what has been held, who waits for whom. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * One page holds what every part asks for. It is mapped when the process arms and marked
 * MADV_WIPEONFORK: in a child made by fork, or by a clone(2) that passes no wrapper, it reads as
 * zeroes, and a zeroed page is an unarmed process. Until then `life` points to a static page of
 * zeroes, so no reader needs a null check. (madvise(2), Linux 4.14; reading it costs 0.3 ns where
 * getpid() costs 119 ns.)
 *
 * So what is written before a fork and must be new after it lies here too; elsewhere it would cost
 * both processes a page fault at each fork.
 *
 * A vfork child shares the page with its parent and must not write anything of ours: the vfork
 * wrapper marks the thread, and life_armed() is false there.
 *
 * Phases, as the coordinator's state machine (engine/fsm.h) publishes them:
 *
 *   RUNNING -> LAME_DUCK -> REFUSE -> DRAIN -> FORCE -> HOOKS -> CHECKPOINT -> RELEASE
 */
#ifndef FLUXSHIM_SIGSAFE_LIFE_H
#define FLUXSHIM_SIGSAFE_LIFE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sigsafe/context.h"
#include "sigsafe/inner.h"

/*
 * What a fork and the end of its child run through lies together: a child has no page of the library
 * until it touches it, and a fault costs some 2 us. (ld(1) sorts .text.hot before the rest.)
 */
#define FORK_PATH __attribute__((hot))

/* Things that the coordinator is told through life->events; a bit stays until it is taken. */
enum life_event {
    LIFE_STOP = 1u << 0,    /* the first managed signal has been held */
    LIFE_SECOND = 1u << 1,  /* another one, from outside: the operator's patience has ended */
    LIFE_EXIT = 1u << 2,    /* the program calls exit and waits for life->finished */
    LIFE_PAUSE = 1u << 3,   /* end the thread now, keep the state: clone, unshare, setns */
    LIFE_THREADS = 1u << 4, /* the program has threads from now on */
    LIFE_TOLD = 1u << 5,    /* the family drains, and its owner has told us */
    LIFE_TICK = 1u << 6,    /* the time for a periodic checkpoint has come (saving.h) */
    LIFE_SAVE = 1u << 7     /* somebody wants a checkpoint now */
};

/* Has the program been given its signal? */
enum life_release {
    LIFE_HELD,
    LIFE_DELIVERED, /* it is delivered, or will be to some thread */
    LIFE_PENDING    /* the only thread blocks it: nothing has been interrupted */
};

struct life {
    _Atomic uint32_t armed;         /* set last by boot/arm.c */
    _Atomic uint32_t draining;      /* closes ring the bell; set by the first hold, never reset */
    _Atomic uint32_t released;      /* enum life_release */
    _Atomic uint32_t finished;      /* hooks and checkpoint are done: an exit may go on */
    _Atomic uint32_t masks_virtual; /* single-threaded: managed signals stay open in the kernel */
    _Atomic uint32_t sandboxed;     /* seccomp entered: never start a thread */
    _Atomic uint32_t *bell;         /* futex word that the coordinator sleeps on, see life_bell */
    _Atomic uint32_t own_bell;      /* the one of a process without a family */
    _Atomic uint32_t events;        /* enum life_event bits not yet taken by the coordinator */
    _Atomic uint32_t started;       /* 1: the coordinator's thread exists or is being made */
    _Atomic uint32_t rooted;        /* the coordinator has a root and a working folder of its own */
    _Atomic uint32_t retires;       /* it returns since there is nothing to do, and not for good */
    _Atomic uint32_t retired;       /* it has, and is still to be joined */
    _Atomic int32_t coordinator;    /* its thread id once it runs, 0: none */
    _Atomic uint64_t managed;       /* signal set, bit signo-1 */
    _Atomic uint64_t blocked;       /* managed signals that the program believes blocked */
    _Atomic uint32_t work;          /* enum safepoint_work; nearly always 0 */
    _Atomic uint32_t threads;       /* the program has, or once had, more than one thread */
    _Atomic uint32_t refusing;      /* a listener that comes now is to be refused as well */
    _Atomic uint32_t held;          /* hold.c: what is known of the held signal */
    _Atomic uint32_t guarded_exit;  /* hold.c: status + 1, 0: none */
    int timer;                      /* hold.c: id + 1, 0: none; timers aren't inherited by fork */
    int save_timer;                 /* saving.c: the same */
    _Atomic uint32_t exit_status;   /* what exit was called with, valid with LIFE_EXIT */
    _Atomic uint32_t cleans;        /* an exit has taken it on to run the family's hooks */
    _Atomic uint32_t told;          /* a member of a draining family, armed or not */
    _Atomic uint32_t accepts;       /* this process has called accept() */
    _Atomic uint32_t binds;         /* it has called bind(), and was not armed then */
    _Atomic uint32_t phase;         /* enum flux_phases; the coordinator writes it */
    _Atomic uint32_t has_hooks;     /* crash.h: there may be marked threads */
    _Atomic uint32_t left_behind;   /* a hook has not returned, and may hold a lock of libc's */
    _Atomic uint64_t guarded;       /* crash.h: signals with its handler in front, bit signo-1 */
    uint32_t member;                /* slot in the family's mapping + 1, 0: none (family.h) */
    _Atomic uint32_t owns;          /* family.h: it is, or was, the family's owner */
    pid_t parent;                   /* who has forked it, 0: not known */
    pid_t pid;                      /* of the process that armed; constant once armed */
    pid_t tid;                      /* of the thread that armed */
};

extern struct life *life INNER;

struct crash_mark;

/* What the shim keeps for each thread; initial-exec TLS, so that reading it allocates nothing. */
struct life_thread {
    uint32_t claims;         /* EINTRs that are the shim's own doing, counted by its handler */
    int claimed_errno;       /* what errno was before the call that such an EINTR has ended */
    uint8_t in_vfork;        /* the thread is a vfork child (or its parent, which is suspended) */
    uint8_t vfork_masked;    /* that child has set its signal mask itself */
    uint8_t owns_masks;      /* the program's only thread: virtual masks are this thread's alone */
    uint8_t reserved_active; /* family.h: what the child of the fork under way starts as */
    uint8_t fork_wrapped;    /* the next fork is the wrapper's, which learns the child's pid */
    uint8_t reserved_told;   /* so the parent writes all that is to be written of the child */
    uint8_t fork_virtual;    /* boot/atfork.c: what the child is to believe, as its parent did */
    uint8_t fork_sandboxed;
    uint8_t fork_guarded; /* crash.h: the child has handlers, or a mark, to be rid of */
    uint8_t is_coordinator;
    uint64_t fork_managed, fork_blocked, fork_mask;
    uint32_t stripe;           /* listeners.h: where its accepts are counted, 0: not chosen yet */
    uint32_t reserved;         /* family.h: its slot, 0: none */
    pid_t fork_parent;         /* who forks */
    uint32_t before_exec;      /* family.h: the state to go back to if an exec fails */
    struct crash_mark *hook;   /* crash.h: the hook that this thread is in, or NULL */
    struct context_call visit; /* transfer.h: the last call that our handler has ended */
};

extern _Thread_local struct life_thread life_thread INNER;

/* This isn't the process that life->pid says. */
bool life_is_elsewhere(void);

/*
 * In a vfork child. The mark alone doesn't tell: a handler (of SIGCHLD, if the child is gone already) may
 * interrupt the parent before its vfork has taken the mark off.
 */
static inline bool life_in_vfork(void)
{
    return __builtin_expect(life_thread.in_vfork, 0) && life_is_elsewhere();
}

/* True in the process that armed, false in its children, vfork children included. */
static inline bool life_armed(void)
{
    return atomic_load_explicit(&life->armed, memory_order_acquire) && !life_in_vfork();
}

/* The table is kept: also in a sandbox, where nothing else goes on. */
static inline bool life_tracks(void)
{
    return (atomic_load_explicit(&life->armed, memory_order_acquire) ||
            atomic_load_explicit(&life->sandboxed, memory_order_relaxed)) &&
           !life_in_vfork();
}

static inline bool life_draining(void)
{
    return atomic_load_explicit(&life->draining, memory_order_relaxed) != 0;
}

/* From the start of the handing-over on, nothing may hide what the program would see. */
static inline bool life_released(void)
{
    return atomic_load_explicit(&life->released, memory_order_acquire) != 0;
}

/* Map the page that this process will use. 0 or -errno. Single thread or under arm's guard. */
int life_map_page(void);

static inline _Atomic uint32_t *life_bell(void)
{
    return life->bell ? life->bell : &life->own_bell;
}

/* Post an event and wake the coordinator, which may not exist yet. */
void life_post(uint32_t events);

/* A connection or listener has gone while a drain watches: wake the coordinator. */
void life_ring(void);

/* Sleep until *word differs from seen, or ns nanoseconds have passed (negative: no bound). */
void life_sleep(_Atomic uint32_t *word, uint32_t seen, int64_t ns);
void life_wake(_Atomic uint32_t *word);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t life_now(void);

/*
 * The upper floors' parts, defined in boot: wrappers reach them through here, since wrap, boot and
 * engine never include each other.
 */
struct life_gate {
    void (*arm)(void);         /* arm this process if it may; idempotent, any thread */
    void (*join)(int fd);      /* this descriptor may be the family's of an ancestor: join that */
    void (*leave)(int status); /* the program ends by itself: hooks and checkpoint first */
    void (*before_fork)(void); /* around a fork that runs no atfork handlers */
    void (*in_parent)(void);
    void (*in_child)(void);
};

extern const struct life_gate life_gate;

#endif
