/* SPDX-License-Identifier: MIT */
/* Takes FLUX_HOOKS apart and runs what it names, each on a thread that may be left behind. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/hooks.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/plugin.h"
#include "engine/shim.h"
#include "fluxshim.h"

#define PRIORITY_MOST 1000000
#define NS_PER_S      1000000000

struct hook {
    struct plugin plugin;
    int priority;
    size_t order;     /* in the list: qsort(3) isn't stable by itself */
    bool left_behind; /* a thread may still be in it */
};

/* Written while arming, then the coordinator's. */
static struct hook *hooks;
static size_t hook_count;

/* ---- loading ---- */

static bool is_number(const char *text)
{
    text += *text == '-';
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Cuts `=priority` off the entry. NULL, or what is wrong with the priority. */
static const char *take_priority(char *entry, int *ret_priority)
{
    const char *error = NULL;
    char *equals = strrchr(entry, '=');
    int priority = FLUX_PRIORITY_DEFAULT;

    if (equals && is_number(equals + 1)) {
        priority = (int)strtonum(equals + 1, 0, PRIORITY_MOST, &error);
        *equals = '\0';
    }
    *ret_priority = error ? FLUX_PRIORITY_DEFAULT : priority;
    return error;
}

/* Allocated. Without a working folder (deleted, say) the path stays as it is, and isn't found. */
static char *absolute(const char *path)
{
    char folder[PATH_MAX], *whole;

    if (path[0] == '/' || !getcwd(folder, sizeof(folder))) {
        return strdup(path);
    }
    return asprintf(&whole, "%s/%s", folder, path) < 0 ? NULL : whole;
}

static int load_entry(struct hook *hook, char *entry, size_t order)
{
    const char *bad_priority = take_priority(entry, &hook->priority);
    char *path = absolute(entry);

    if (!path) {
        return -ENOMEM;
    }
    hook->order = order;
    if (bad_priority) {
        hook->plugin.path = path;
        plugin_refuse(&hook->plugin, "its priority is %s, allowed is 0 to %d", bad_priority,
                      PRIORITY_MOST);
    } else {
        plugin_open(&hook->plugin, path);
    }
    if (hook->plugin.error[0] != '\0') {
        log_error("hook %s will not run: %s", path, hook->plugin.error);
    } else {
        log_debug("hook %s loaded, priority %d", path, hook->priority);
    }
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
        if (list[i].left_behind) {
            list[i].plugin.handle = NULL; /* its code stays mapped */
        }
        plugin_close(&list[i].plugin);
    }
    free(list);
}

/* How many were loaded, or -ENOMEM; `*ret_count` is how many rows are in use in any case. */
static int load_entries(struct hook *list, char *rest, size_t *ret_count)
{
    size_t count = 0;
    char *entry;
    int result = 0;

    while (result == 0 && (entry = strsep(&rest, ":"))) {
        if (*entry == '\0') {
            continue;
        }
        if (count == RECORD_HOOKS) {
            log_error("FLUX_HOOKS names more than %d hooks; the rest will not run", RECORD_HOOKS);
            break;
        }
        result = load_entry(&list[count], entry, count);
        count += result == 0;
    }
    *ret_count = count;
    return result;
}

static size_t entries_at_most(const char *list)
{
    size_t count = 1;

    for (; *list; list++) {
        count += *list == ':';
    }
    return count < RECORD_HOOKS ? count : RECORD_HOOKS;
}

/* The new list is opened before the old one is closed: what is in both isn't unloaded between. */
int hooks_load(const char *list)
{
    char *text = strdup(list);
    struct hook *new = calloc(entries_at_most(list), sizeof(*new));
    size_t count = 0;
    int result = text && new ? load_entries(new, text, &count) : -ENOMEM;

    free(text);
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
    return 0;
}

/* ---- running ---- */

/* The function travels as the argument itself: a thread left behind refers to nothing of ours. */
static void *thread_main(void *cleanup)
{
    return (void *)(intptr_t)((int (*)(void))cleanup)();
}

/* Signals are for the program's threads: none may run a handler in the midst of a hook. */
static int start_thread(int (*cleanup)(void), pthread_t *ret_thread)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret_thread, NULL, thread_main, (void *)cleanup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -error;
}

static int wait_for_thread(pthread_t thread, int64_t until_ns, int *ret_result)
{
    const struct timespec until = {.tv_sec = until_ns / NS_PER_S, .tv_nsec = until_ns % NS_PER_S};
    void *result;
    int error = pthread_clockjoin_np(thread, &result, CLOCK_MONOTONIC, &until);

    if (error) {
        pthread_detach(thread);
        return -error;
    }
    *ret_result = (int)(intptr_t)result;
    return 0;
}

static void set_outcome(struct record_hook *row, const char *status, const char *error)
{
    row->status = status;
    strlcpy(row->error, error, sizeof(row->error));
}

static void run_until(struct hook *hook, struct record_hook *row, int64_t until_ns)
{
    pthread_t thread;
    int64_t began = shim_now();
    int error = start_thread(hook->plugin.cleanup, &thread);

    if (error) {
        set_outcome(row, "not run", "no thread could be started");
        return;
    }
    error = wait_for_thread(thread, until_ns, &row->result);
    row->ns = shim_now() - began;
    hook->left_behind |= error != 0;
    if (error) {
        set_outcome(row, "timeout", "it did not return in time and was left behind");
    } else if (row->result != 0) {
        set_outcome(row, "failed", "flux_cleanup did not return 0");
    } else {
        set_outcome(row, "ok", "");
    }
}

static void tell(const struct hook *hook, const struct record_hook *row)
{
    if (strcmp(row->status, "ok") == 0) {
        log_info("hook %s: ok after %lld ms", hook->plugin.path, (long long)row->ns / 1000000);
    } else if (strcmp(row->status, "failed") == 0) {
        log_warn("hook %s failed: flux_cleanup returned %d", hook->plugin.path, row->result);
    } else {
        log_warn("hook %s: %s: %s", hook->plugin.path, row->status, row->error);
    }
}

static void run(struct hook *hook, struct record_hook *row, int64_t timeout_ns, int64_t deadline_ns)
{
    int64_t now = shim_now();

    *row = (struct record_hook){.result = 0};
    strlcpy(row->path, hook->plugin.path, sizeof(row->path));
    if (hook->plugin.error[0] != '\0') {
        set_outcome(row, "not run", hook->plugin.error);
        return; /* told when it was loaded */
    }
    if (now >= deadline_ns) {
        set_outcome(row, "not run", "the time for the shutdown is over");
    } else {
        run_until(hook, row, timeout_ns < deadline_ns - now ? now + timeout_ns : deadline_ns);
    }
    tell(hook, row);
}

void hooks_run(struct record *record, int64_t timeout_ns, int64_t deadline_ns)
{
    for (size_t i = 0; i < hook_count; i++) {
        run(&hooks[i], &record->hooks[i], timeout_ns, deadline_ns);
        record->hook_count = i + 1;
    }
}
