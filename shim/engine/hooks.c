/* SPDX-License-Identifier: MIT */
/* The list of hooks, their order, and what is recorded of each. */
/* Context: hooks_load(): the arming thread; the rest: the coordinator's. May allocate and block. */
#include "engine/hooks.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hook_end.h"
#include "engine/hook_start.h"
#include "engine/hook_state.h"
#include "engine/hook_thread.h"
#include "engine/plugin.h"
#include "engine/shim.h"

#define TIME_MOST_NS 1000000000000000000ll

struct hook {
    struct plugin plugin;
    int priority;
    uint32_t scope;
    int64_t timeout_ns; /* -1: FLUX_HOOK_TIMEOUT */
    size_t order;       /* in the list: qsort(3) isn't stable by itself */
    const char *config; /* JSON; while arming only */
    struct hook_thread *thread;
    char *state;             /* what it saved at the last shutdown of this process */
    const char *status;      /* NULL as long as it may be called */
    char error[256];         /* of that status */
    struct record_hook *row; /* while hooks_run() */
};

/* Written while arming, then the coordinator's. */
static struct hook *hooks;
static size_t hook_count;

#define FOR_EACH(hook) for (struct hook *hook = hooks; hook < hooks + hook_count; hook++)

/* ---- loading ---- */

static bool is_ours(const struct hook *hook, enum hooks_ours ours)
{
    return ours == HOOKS_ALL || hook->scope == FLUX_SCOPE_PROCESS;
}

/* The entry's wishes go before the hook's own. */
static void settle(struct hook *hook, const struct hook_entry *entry, size_t order)
{
    const struct flux_hook *own = &hook->plugin.hook;

    hook->priority = entry->priority >= 0            ? entry->priority
                     : hook->plugin.error[0] == '\0' ? own->priority
                                                     : FLUX_PRIORITY_DEFAULT;
    hook->scope = entry->scope >= 0 ? (uint32_t)entry->scope : own->scope;
    hook->timeout_ns = entry->timeout;
    hook->order = order;
    hook->config = entry->config ? entry->config : "null";
}

static int load_entry(struct hook *hook, const struct hook_entry *entry, size_t order)
{
    char *path = entry->error ? strdup(entry->object) : plugin_path(entry->object);

    if (!path) {
        return -ENOMEM;
    }
    if (entry->error) {
        hook->plugin.path = path;
        plugin_refuse(&hook->plugin, "%s", entry->error);
    } else {
        plugin_open(&hook->plugin, path);
    }
    settle(hook, entry, order);
    return 0;
}

static int by_priority(const void *left, const void *right)
{
    const struct hook *a = left, *b = right;

    return a->priority != b->priority ? (a->priority > b->priority) - (a->priority < b->priority)
                                      : (a->order > b->order) - (a->order < b->order);
}

static void forget(struct hook *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].thread) {
            list[i].plugin.handle = NULL; /* a thread may be in it: its code stays mapped */
        }
        free(list[i].state);
        plugin_close(&list[i].plugin);
    }
    free(list);
}

static int load_entries(struct hook *list, const struct hook_entries *entries, size_t *ret_count)
{
    int result = 0;

    for (size_t i = 0; i < entries->count && result == 0; i++) {
        result = load_entry(&list[i], &entries->list[i], i);
        *ret_count = i + (result == 0);
    }
    return result;
}

/* How many before this one have its name. */
static size_t occurrence(const struct hook *hook)
{
    size_t count = 0;

    for (const struct hook *other = hooks; other < hook; other++) {
        count += strcmp(other->plugin.name, hook->plugin.name) == 0;
    }
    return count;
}

static void start(struct hook *hook, const cJSON *before)
{
    struct plugin *plugin = &hook->plugin;
    char *state = NULL;

    if (plugin->error[0] == '\0') {
        state = plugin->hook.restore ? hook_state_of(before, plugin->name, occurrence(hook)) : NULL;
        hook_start(plugin, hook->config, state);
        free(state);
    }
    hook->config = NULL;
    if (plugin->error[0] != '\0') {
        log_error("hook %s will not run: %s", plugin->path, plugin->error);
    } else {
        log_debug("hook %s loaded, priority %d", plugin->path, hook->priority);
    }
}

/* The new list is opened before the old one is closed: what is in both isn't unloaded between. */
int hooks_load(const struct hook_entries *entries, const cJSON *before, enum hooks_ours ours)
{
    struct hook *new = calloc(entries->count + 1, sizeof(*new));
    size_t count = 0;
    int result = new ? load_entries(new, entries, &count) : -ENOMEM;

    forget(hooks, hook_count);
    hooks = NULL;
    hook_count = 0;
    if (result < 0) {
        log_error("no memory to load the hooks: none will run");
        forget(new, count);
        return result;
    }
    qsort(new, count, sizeof(*new), by_priority);
    hooks = new;
    hook_count = count;
    FOR_EACH(hook)
    {
        if (is_ours(hook, ours)) {
            start(hook, before);
        } else {
            hook->status = "not run";
            strlcpy(hook->error, "it is for the process that founded the family",
                    sizeof(hook->error));
        }
    }
    return 0;
}

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

    strlcpy(reason, hook_thread_call(hook->thread), sizeof(reason));
    atomic_store(&shim->life->left_behind, 1);
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
    return hook->plugin.hook.event && may_be_called(hook) && is_ours(hook, ours);
}

bool hooks_hear(enum hooks_ours ours)
{
    bool any = false;

    FOR_EACH(hook)
    {
        any |= hears(hook, ours);
    }
    return any;
}

void hooks_tell(const struct flux_event *event, enum hooks_ours ours, bool repeated)
{
    FOR_EACH(hook)
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

static void clean(struct hook *hook, int64_t deadline_ns)
{
    int64_t began = shim_now();

    if (!may_be_called(hook)) { /* told already */
        const char *error = hook->status ? hook->error : hook->plugin.error;

        set_outcome(hook->row, hook->status ? hook->status : "not run", error);
        return;
    }
    if (began >= deadline_ns) {
        set_status(hook, "not run", "the time for the shutdown is over");
    } else if (!hook->plugin.hook.cleanup) {
        note_result(hook, 0);
    } else if (call(hook, HOOK_CLEANUP, deadline_ns)) {
        note_result(hook, hook->thread->result);
    }
    hook->row->ns = shim_now() - began;
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

void hooks_run(struct record *record, enum hooks_ours ours, int64_t deadline_ns)
{
    record->hook_count = 0;
    FOR_EACH(hook)
    {
        hook->row = NULL;
        if (is_ours(hook, ours)) {
            begin_row(hook, &record->hooks[record->hook_count++]);
            clean(hook, deadline_ns);
        }
    }
    FOR_EACH(hook)
    {
        if (hook->row) {
            save(hook, deadline_ns);
        }
    }
}

/* An event under way, cleanup and save. */
int64_t hooks_time_of_process(void)
{
    int64_t time_ns = 0;

    FOR_EACH(hook)
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
    FOR_EACH(hook)
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
    FOR_EACH(hook)
    {
        if (hook->thread && hook_thread_is_idle(hook->thread)) {
            (void)hook_thread_end(hook->thread, deadline_ns);
            hook->thread = NULL;
        }
    }
}

void hooks_forget_threads(void)
{
    FOR_EACH(hook)
    {
        hook->thread = NULL;
    }
}
