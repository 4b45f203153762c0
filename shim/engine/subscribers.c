/* SPDX-License-Identifier: MIT */
/* Keeps a thread for each subscriber while a shutdown goes on. */
/* Context: coordinator thread only; may allocate and block. is_wanted(): the subscriber's thread. */
#include "engine/subscribers.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/hook_end.h"
#include "engine/hook_thread.h"
#include "engine/shim.h"
#include "sigsafe/subscribers.h"

/* What is known of one row of the shim's list, in the turn in which it was met. */
struct known {
    struct known *next;
    struct subscriber *row;
    uint32_t turn;
    subscriber_callback callback;
    void *context;
    struct hook_thread *thread; /* NULL: none at present */
    bool is_over;               /* it has come to its end */
};

static struct known *known; /* since the first event of this shutdown */

static bool is_subscribed(const struct known *one)
{
    return atomic_load(&one->row->state) == SUBSCRIBED && atomic_load(&one->row->turn) == one->turn;
}

static bool is_wanted(void *instance)
{
    return is_subscribed(instance);
}

static void call(void *instance, const struct flux_event *event)
{
    struct known *one = instance;

    one->callback(one->context, event);
}

/* A row that changes hands while it is read is met at the next event. */
static bool take(struct known *one, struct subscriber *row)
{
    one->row = row;
    one->turn = atomic_load(&row->turn);
    one->callback = atomic_load(&row->callback);
    one->context = atomic_load(&row->context);
    return is_subscribed(one);
}

static bool is_known(const struct subscriber *row)
{
    for (const struct known *one = known; one; one = one->next) {
        if (one->row == row && one->turn == atomic_load(&row->turn)) {
            return true;
        }
    }
    return false;
}

static void start(struct known *one)
{
    struct hook_work work = {
        .name = "subscriber", .instance = one, .event = call, .is_wanted = is_wanted};

    one->thread = hook_thread_start(&work);
    one->is_over = !one->thread;
    if (one->is_over) {
        log_warn("no thread for a subscriber: it is told nothing");
    }
}

static void meet(struct subscriber *row)
{
    struct known *one = calloc(1, sizeof(*one));

    if (!one || !take(one, row)) {
        free(one);
        return;
    }
    one->next = known;
    known = one;
}

static void meet_all(void)
{
    for (struct subscriber *row = shim->subscribers_first(); row; row = row->next) {
        if (atomic_load(&row->state) == SUBSCRIBED && !is_known(row)) {
            meet(row);
        }
    }
}

static void note_end(struct known *one)
{
    char reason[128];

    hook_end_reason(&one->thread->mark, hook_thread_call(one->thread), reason, sizeof(reason));
    log_warn("a subscriber %s: %s", hook_end_status(&one->thread->mark), reason);
    one->thread = NULL;
    one->is_over = true;
}

void subscribers_tell(const struct flux_event *event, bool repeated)
{
    meet_all();
    for (struct known *one = known; one; one = one->next) {
        if (one->thread && hook_thread_has_ended(one->thread)) {
            note_end(one);
        }
        if (!one->thread && !one->is_over) {
            start(one);
        }
        if (one->thread) {
            hook_thread_post_event(one->thread, event, repeated);
        }
    }
}

/* What is known of one that hangs stays: its thread reads it. */
void subscribers_end(int64_t deadline_ns)
{
    for (struct known *one = known, *next; one; one = next) {
        next = one->next;
        if (one->thread && hook_thread_has_ended(one->thread)) {
            note_end(one);
        } else if (!one->is_over && (!one->thread || hook_thread_end(one->thread, deadline_ns))) {
            free(one);
        }
    }
    known = NULL;
}

void subscribers_pause(int64_t deadline_ns)
{
    for (struct known *one = known; one; one = one->next) {
        if (one->thread && hook_thread_is_idle(one->thread)) {
            (void)hook_thread_end(one->thread, deadline_ns);
            one->thread = NULL;
        }
    }
}

void subscribers_forget(void)
{
    known = NULL;
}
