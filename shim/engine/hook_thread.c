/* SPDX-License-Identifier: MIT */
/* Starts a hook's thread, feeds it and waits for it. */
/* Context: coordinator thread only, and body() and what it calls: the hook's thread. */
#include "engine/hook_thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/shim.h"

#define STACK         (256u << 10)
#define HANDLER_STACK 32768 /* several times the largest signal frame */
#define STATE_FIRST   4096
#define NS_PER_S      1000000000

/* ---- on the thread ---- */

/* Where a thread ends that may hold a lock: unwinding it, or giving its stack back, could harm. */
static void __attribute__((noreturn)) park(struct crash_mark *mark)
{
    static _Atomic uint32_t never;

    (void)mark;
    for (;;) {
        shim->sleep(&never, 0, -1);
    }
}

static void use_handler_stack(struct hook_thread *thread, stack_t *ret_before)
{
    stack_t stack = {.ss_sp = thread->stack, .ss_size = HANDLER_STACK};

    (void)sigaltstack(&stack, ret_before);
}

static int64_t lesser(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The length is what snprintf's would be: a second attempt has room for it. */
static void save(struct hook_thread *thread)
{
    int64_t size = STATE_FIRST, length = STATE_FIRST;
    char *state = NULL;

    while (length >= size || !state) {
        char *room;

        length = lesser(length, HOOK_STATE_MOST); /* a hook may say anything */
        size = state ? length + 1 : STATE_FIRST;
        room = size <= HOOK_STATE_MOST ? realloc(state, (size_t)size) : NULL;
        if (!room) {
            thread->state_is_lost = true;
            free(state);
            return;
        }
        state = room;
        length = thread->work.save(thread->work.instance, state, (uint64_t)size);
    }
    if (length >= 0) {
        state[length] = '\0';
        thread->state = state;
    } else {
        free(state);
    }
}

static void make(struct hook_thread *thread, enum hook_call call, const struct flux_event *event)
{
    const struct hook_work *work = &thread->work;

    switch (call) {
    case HOOK_EVENT:
        if (!work->is_wanted || work->is_wanted(work->instance)) {
            work->event(work->instance, event);
        }
        break;
    case HOOK_CLEANUP:
        thread->result = work->cleanup(work->instance);
        break;
    case HOOK_SAVE:
        save(thread);
        break;
    case HOOK_END:
        break;
    }
}

static void is_done(struct hook_thread *thread)
{
    atomic_store(&thread->began_ns, 0);
    atomic_fetch_add(&thread->done, 1);
    atomic_fetch_add(&thread->mark.news, 1);
    shim->wake(&thread->mark.news);
}

static enum hook_call next_call(struct hook_thread *thread, struct flux_event *ret_event)
{
    uint32_t done = atomic_load(&thread->done);

    while (atomic_load(&thread->posted) == done) {
        shim->sleep(&thread->posted, done, -1);
    }
    *ret_event = thread->queue[done % HOOK_QUEUE].event;
    return thread->queue[done % HOOK_QUEUE].call;
}

/*
 * pthread_cancel() unwinds the hook's calls and comes here. libc doesn't count this thread: if it
 * ended now, that would be the end of one of the program's, and of the last one an exit(0).
 */
static void is_cancelled(void *argument)
{
    struct hook_thread *thread = argument;

    atomic_store(&shim->life->left_behind, 1);
    thread->mark.call = "pthread_cancel";
    thread->mark.detail = -1;
    atomic_store(&thread->mark.how, CRASH_CALL);
    atomic_fetch_add(&thread->mark.news, 1);
    shim->wake(&thread->mark.news);
    park(&thread->mark);
}

static void make_calls(struct hook_thread *thread)
{
    struct flux_event event;
    enum hook_call call;

    while ((call = next_call(thread, &event)) != HOOK_END) {
        atomic_store(&thread->began_ns, shim_now());
        shim->crash_enter(&thread->mark);
        make(thread, call, &event);
        shim->crash_enter(NULL);
        is_done(thread);
    }
}

/* The mark stays at the end: libc still calls the destructors of what the hook keeps for threads. */
static void *body(void *argument)
{
    struct hook_thread *thread = argument;
    stack_t before;

    (void)prctl(PR_SET_NAME, thread->work.name);
    (void)unshare(CLONE_FS); /* root, folder and umask: the others' and the checkpoint's stay */
    use_handler_stack(thread, &before);
    pthread_cleanup_push(is_cancelled, thread);
    make_calls(thread);
    pthread_cleanup_pop(0);
    (void)sigaltstack(&before, NULL); /* AddressSanitizer has its own, and frees what it finds */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    shim->count_in_libc(true);
    shim->crash_enter(&thread->mark);
    is_done(thread);
    return NULL;
}

/* ---- on the coordinator's ---- */

/* All but its faults; inherited by the new thread. */
static void block_signals(sigset_t *ret_before)
{
    static const int faults[] = CRASH_SIGNALS;
    sigset_t set;

    (void)sigfillset(&set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        (void)sigdelset(&set, faults[i]);
    }
    (void)pthread_sigmask(SIG_SETMASK, &set, ret_before);
}

static int create(struct hook_thread *thread)
{
    pthread_attr_t attributes;
    sigset_t before;

    block_signals(&before);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK);
    int error = pthread_create(&thread->thread, &attributes, body, thread);

    if (error == EINVAL) { /* static TLS is taken from the stack, and a program may have much */
        error = pthread_create(&thread->thread, NULL, body, thread);
    }
    (void)pthread_attr_destroy(&attributes);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct hook_thread *hook_thread_start(const struct hook_work *work)
{
    struct hook_thread *thread = calloc(1, sizeof(*thread) + HANDLER_STACK);

    if (!thread) {
        return NULL;
    }
    thread->work = *work;
    thread->mark.name = work->name;
    thread->mark.leave = park;
    shim->crash_guard(true);
    if (create(thread) != 0) {
        free(thread);
        return NULL;
    }
    shim->count_in_libc(false);
    return thread;
}

static uint32_t waiting(const struct hook_thread *thread)
{
    return atomic_load(&thread->posted) - atomic_load(&thread->done);
}

static uint32_t put(struct hook_thread *thread, enum hook_call call, const struct flux_event *event)
{
    uint32_t at = atomic_load(&thread->posted);

    if (waiting(thread) >= HOOK_QUEUE) {
        return 0;
    }
    thread->queue[at % HOOK_QUEUE].call = call;
    if (event) {
        thread->queue[at % HOOK_QUEUE].event = *event;
    }
    atomic_store(&thread->posted, at + 1);
    shim->wake(&thread->posted);
    return at + 1;
}

uint32_t hook_thread_post(struct hook_thread *thread, enum hook_call call)
{
    return put(thread, call, NULL);
}

void hook_thread_post_event(struct hook_thread *thread, const struct flux_event *event,
                            bool repeated)
{
    if (!repeated || waiting(thread) == 0) {
        (void)put(thread, HOOK_EVENT, event);
    }
}

bool hook_thread_is_idle(const struct hook_thread *thread)
{
    return waiting(thread) == 0 && !hook_thread_has_ended(thread);
}

bool hook_thread_has_ended(const struct hook_thread *thread)
{
    return atomic_load(&thread->mark.how) != CRASH_NONE;
}

const char *hook_thread_call(const struct hook_thread *thread)
{
    static const char *const names[] = {"event", "cleanup", "save", "its end"};

    return names[thread->queue[atomic_load(&thread->done) % HOOK_QUEUE].call];
}

enum hook_outcome hook_thread_wait(struct hook_thread *thread, uint32_t number, int64_t timeout_ns,
                                   int64_t deadline_ns)
{
    for (;;) {
        uint32_t news = atomic_load(&thread->mark.news);
        int64_t began_ns = atomic_load(&thread->began_ns), now = shim_now();
        int64_t until_ns = lesser((began_ns != 0 ? began_ns : now) + timeout_ns, deadline_ns);

        if (number != 0 && (int32_t)(atomic_load(&thread->done) - number) >= 0) {
            return HOOK_RETURNED;
        }
        if (hook_thread_has_ended(thread)) {
            return HOOK_ENDED;
        }
        if (now >= until_ns) {
            return HOOK_LATE;
        }
        shim->sleep(&thread->mark.news, news, until_ns - now);
    }
}

static bool has_joined(struct hook_thread *thread, int64_t deadline_ns)
{
    const struct timespec deadline = {.tv_sec = deadline_ns / NS_PER_S,
                                      .tv_nsec = deadline_ns % NS_PER_S};

    return pthread_clockjoin_np(thread->thread, NULL, CLOCK_MONOTONIC, &deadline) == 0;
}

bool hook_thread_end(struct hook_thread *thread, int64_t deadline_ns)
{
    uint32_t number = hook_thread_post(thread, HOOK_END);

    if (hook_thread_wait(thread, number, INT64_MAX / 2, deadline_ns) != HOOK_RETURNED ||
        !has_joined(thread, deadline_ns)) {
        atomic_store(&shim->life->left_behind, 1);
        (void)pthread_detach(thread->thread);
        return false;
    }
    free(thread->state);
    free(thread);
    return true;
}
