/* SPDX-License-Identifier: MIT */
/* The thread of one hook: calls are posted to it, and made one after the other. */
/* Context: coordinator thread only; may allocate, blocks in hook_thread_wait(). */

/*
 *     thread = hook_thread_start(&work);
 *     hook_thread_post_event(thread, &event);                       returns at once
 *     number = hook_thread_post(thread, HOOK_CLEANUP);
 *     if (hook_thread_wait(thread, number, timeout, deadline) == HOOK_RETURNED) ... thread->result
 *     hook_thread_end(thread, deadline);
 *
 * Its signals are all blocked but for those of its own faults (sigsafe/crash.h). A thread that ends
 * otherwise than by returning is parked for ever: it may hold a lock, and its stack is in use. One
 * that doesn't return is left alone. Either way the memory of struct hook_thread is never reused.
 *
 * A thread of ours is none of the program's: it is taken out of libc's count (safepoint.h), so that
 * a program whose last thread returns ends as it would bare.
 */
#ifndef FLUXSHIM_ENGINE_HOOK_THREAD_H
#define FLUXSHIM_ENGINE_HOOK_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "fluxshim.h"
#include "sigsafe/crash.h"

#define HOOK_STATE_MOST 65536 /* of what save() writes, its NUL included */

enum hook_call { HOOK_EVENT, HOOK_CLEANUP, HOOK_SAVE, HOOK_END };

enum hook_outcome {
    HOOK_RETURNED,
    HOOK_LATE, /* not within its time */
    HOOK_ENDED /* crashed, or exited: thread->mark says how */
};

/* What there is to be called; any function may be NULL. */
struct hook_work {
    const char *name;
    void *instance;
    void (*event)(void *instance, const struct flux_event *event);
    int (*cleanup)(void *instance);
    int64_t (*save)(void *instance, char *buffer, uint64_t size);
    bool (*is_wanted)(void *instance); /* asked before each event; NULL: yes */
};

#define HOOK_QUEUE 16 /* each phase once, and what is left over when the hook hangs */

struct hook_thread {
    struct crash_mark mark; /* first: the thread's end is known by it */
    struct hook_work work;
    pthread_t thread;
    struct {
        enum hook_call call;
        struct flux_event event;
    } queue[HOOK_QUEUE];
    _Atomic uint32_t posted;  /* futex word: calls so far; the coordinator writes */
    _Atomic uint32_t done;    /* calls that have returned; the thread writes */
    _Atomic int64_t began_ns; /* of the call under way, 0: none; the thread writes */
    int result;               /* of cleanup; the thread writes, before `done` */
    char *state;              /* what save wrote, or NULL; as `result` */
    bool state_is_lost;       /* no room for it; as `result` */
    char stack[];             /* of its signal handlers */
};

/* NULL: no memory, or no thread to be had. */
struct hook_thread *hook_thread_start(const struct hook_work *work);

/* The number of the call, for hook_thread_wait(). 0: the queue is full, since it hangs. */
uint32_t hook_thread_post(struct hook_thread *thread, enum hook_call call);

/* The same for an event. One that repeats itself is left out while another waits. */
void hook_thread_post_event(struct hook_thread *thread, const struct flux_event *event,
                            bool repeated);

/* Until that call has returned; each one before it has the same time, and all end by the deadline. */
enum hook_outcome hook_thread_wait(struct hook_thread *thread, uint32_t number, int64_t timeout_ns,
                                   int64_t deadline_ns);

/* Does it wait for a call? */
bool hook_thread_is_idle(const struct hook_thread *thread);

/* Has it crashed or exited? */
bool hook_thread_has_ended(const struct hook_thread *thread);

/* What it is doing, or was doing at its end: "cleanup". */
const char *hook_thread_call(const struct hook_thread *thread);

/* Ends it, and frees it if that comes about before the deadline; false: it is left behind. */
bool hook_thread_end(struct hook_thread *thread, int64_t deadline_ns);

#endif
