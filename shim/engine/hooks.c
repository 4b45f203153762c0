/* SPDX-License-Identifier: MIT */
/* Calls the hooks, each on its thread, and records what became of them. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/hooks.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hook_end.h"
#include "engine/hook_state.h"
#include "engine/hook_thread.h"
#include "engine/publish.h"
#include "engine/shim.h"

#define TIME_MOST_NS 1000000000000000000ll /* of a sum of timeouts */

/* ---- their threads ---- */

static void set_status(struct hook *hook, const char *status, const char *error)
{
    hook->status = status;
    strlcpy(hook->error, error, sizeof(hook->error));
    log_warn("hook %s: %s: %s", hook->plugin.path, status, error);
}

static void note_end(struct hook *hook)
{
    char reason[128];

    hook_end_reason(&hook->thread->mark, hook_thread_call(hook->thread), reason, sizeof(reason));
    set_status(hook, hook_end_status(&hook->thread->mark), reason);
}

static void note_late(struct hook *hook)
{
    char reason[128];

    atomic_store(&shim->life->left_behind, 1);
    strlcpy(reason, hook_thread_call(hook->thread), sizeof(reason));
    strlcat(reason, " did not return in time and was left behind", sizeof(reason));
    set_status(hook, "timeout", reason);
}

/* Its thread, made if there is none. NULL: it gets no calls, and its status says why. */
static struct hook_thread *thread_of(struct hook *hook)
{
    const struct flux_hook *calls = &hook->plugin.hook;
    struct hook_work work = {.name = hook->plugin.name,
                             .instance = hook->plugin.instance,
                             .event = calls->event,
                             .cleanup = calls->cleanup,
                             .save = calls->save};

    if (!hook->thread) {
        hook->thread = hook_thread_start(&work);
    }
    if (!hook->thread) {
        set_status(hook, "not run", "no thread could be started");
        return NULL;
    }
    if (hook_thread_has_ended(hook->thread)) {
        note_end(hook);
        return NULL;
    }
    return hook->thread;
}

static bool may_be_called(const struct hook *hook)
{
    return hook->plugin.error[0] == '\0' && !hook->status;
}

static bool hears(const struct hook *hook, enum hooks_ours ours)
{
    return hook->plugin.hook.event && may_be_called(hook) && hook_is_ours(hook, ours);
}

bool hooks_hear(enum hooks_ours ours)
{
    bool any = false;

    FOR_EACH_HOOK(hook)
    {
        any |= hears(hook, ours);
    }
    return any;
}

void hooks_tell(const struct flux_event *event, enum hooks_ours ours, bool repeated)
{
    FOR_EACH_HOOK(hook)
    {
        if (hears(hook, ours) && thread_of(hook)) {
            hook_thread_post_event(hook->thread, event, repeated);
        }
    }
}

/* ---- cleanup and save ---- */

static int64_t timeout_of(const struct hook *hook)
{
    return hook->timeout_ns >= 0 ? hook->timeout_ns : shim->settings->hook_timeout;
}

/* Post the call and wait. False: it is over with this one, and its status says why. */
static bool call(struct hook *hook, enum hook_call what, int64_t deadline_ns)
{
    if (!thread_of(hook)) {
        return false;
    }
    uint32_t number = hook_thread_post(hook->thread, what);

    switch (hook_thread_wait(hook->thread, number, timeout_of(hook), deadline_ns)) {
    case HOOK_RETURNED:
        return true;
    case HOOK_LATE:
        note_late(hook);
        return false;
    case HOOK_ENDED:
        note_end(hook);
        return false;
    }
    return false;
}

static void set_outcome(struct record_hook *row, const char *status, const char *error)
{
    row->status = status;
    strlcpy(row->error, error, sizeof(row->error));
}

static void begin_row(struct hook *hook, struct record_hook *row)
{
    hook->row = row;
    *row = (struct record_hook){
        .priority = hook->priority,
        .scope = hook->scope == FLUX_SCOPE_PROCESS ? "process" : "family",
    };
    strlcpy(row->name, hook->plugin.name, sizeof(row->name));
    strlcpy(row->path, hook->plugin.path, sizeof(row->path));
}

static void note_result(const struct hook *hook, int result)
{
    hook->row->result = result;
    if (result != 0) {
        set_outcome(hook->row, "failed", "cleanup did not return 0");
        log_warn("hook %s failed: cleanup returned %d", hook->plugin.path, result);
    } else {
        set_outcome(hook->row, "ok", "");
    }
}

static void call_cleanup(struct hook *hook, int64_t deadline_ns)
{
    if (!hook->plugin.hook.cleanup) {
        note_result(hook, 0);
    } else if (call(hook, HOOK_CLEANUP, deadline_ns)) {
        note_result(hook, hook->thread->result);
    }
}

static void clean(struct hook *hook, int64_t deadline_ns)
{
    int64_t began = shim_now();

    if (hook->plugin.error[0] != '\0') { /* told when it was loaded */
        set_outcome(hook->row, "not run", hook->plugin.error);
        return;
    }
    if (!hook->status && began >= deadline_ns) {
        set_status(hook, "not run", "the time for the shutdown is over");
    } else if (!hook->status) {
        hook->row->began_ns = began;
        call_cleanup(hook, deadline_ns);
        hook->row->ns = shim_now() - began;
    }
    if (hook->status) {
        set_outcome(hook->row, hook->status, hook->error);
    } else if (hook->row->result == 0) {
        log_info("hook %s: ok after %lld ms", hook->plugin.path,
                 (long long)hook->row->ns / 1000000);
    }
}

static void save(struct hook *hook, int64_t deadline_ns)
{
    if (!hook->plugin.hook.save || !may_be_called(hook) || shim_now() >= deadline_ns) {
        return;
    }
    if (!call(hook, HOOK_SAVE, deadline_ns)) {
        set_outcome(hook->row, hook->status, hook->error);
        return;
    }
    free(hook->state);
    hook->state = hook->thread->state;
    hook->thread->state = NULL;
    const char *fault = hook->thread->state_is_lost ? "what save wrote is too large"
                                                    : hook_state_fault(hook->state);

    if (fault) {
        log_warn("hook %s: its state is not kept: %s", hook->plugin.path, fault);
        strlcpy(hook->row->error, fault, sizeof(hook->row->error));
    } else {
        hook->row->state = hook->state;
    }
}

static size_t count_of(enum hooks_ours ours)
{
    size_t count = 0;

    FOR_EACH_HOOK(hook)
    {
        count += hook_is_ours(hook, ours);
    }
    return count;
}

void hooks_run(struct record *record, enum hooks_ours ours, int64_t deadline_ns)
{
    size_t count = count_of(ours);

    record->hook_count = 0;
    FOR_EACH_HOOK(hook)
    {
        hook->row = NULL;
        if (hook_is_ours(hook, ours)) {
            publish_hook(record->hook_count, count, hook->plugin.name);
            begin_row(hook, &record->hooks[record->hook_count++]);
            clean(hook, deadline_ns);
        }
    }
    FOR_EACH_HOOK(hook)
    {
        if (hook->row) {
            save(hook, deadline_ns);
        }
    }
}

void hooks_save(struct record *record, int64_t deadline_ns)
{
    record->hook_count = 0;
    FOR_EACH_HOOK(hook)
    {
        begin_row(hook, &record->hooks[record->hook_count++]);
        if (hook->plugin.error[0] != '\0') {
            set_outcome(hook->row, "not run", hook->plugin.error);
            continue;
        }
        set_outcome(hook->row, hook->status ? hook->status : "serving", hook->error);
        save(hook, deadline_ns);
    }
}

bool hooks_have_threads(void)
{
    bool any = false;

    FOR_EACH_HOOK(hook)
    {
        any |= hook->thread != NULL;
    }
    return any;
}

/* An event under way, cleanup and save. */
int64_t hooks_time_of_process(void)
{
    int64_t time_ns = 0;

    FOR_EACH_HOOK(hook)
    {
        if (hook->scope == FLUX_SCOPE_PROCESS && hook->plugin.error[0] == '\0') {
            time_ns += 3 * timeout_of(hook);
        }
        if (time_ns > TIME_MOST_NS) {
            return TIME_MOST_NS; /* timeouts may be years */
        }
    }
    return time_ns;
}

/* ---- the end ---- */

void hooks_end(int64_t deadline_ns)
{
    FOR_EACH_HOOK(hook)
    {
        if (hook->thread && !hook->status && hook_thread_has_ended(hook->thread)) {
            note_end(hook); /* in one of the last events */
        }
        if (hook->thread && !hook->status) {
            (void)hook_thread_end(hook->thread, deadline_ns);
            hook->thread = NULL;
        }
    }
}

void hooks_pause(int64_t deadline_ns)
{
    FOR_EACH_HOOK(hook)
    {
        if (hook->thread && hook_thread_is_idle(hook->thread)) {
            (void)hook_thread_end(hook->thread, deadline_ns);
            hook->thread = NULL;
        }
    }
}

void hooks_forget_threads(void)
{
    FOR_EACH_HOOK(hook)
    {
        hook->thread = NULL;
    }
}
