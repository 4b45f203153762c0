/* SPDX-License-Identifier: MIT */
/* Opens the hooks, puts them into their order, and begins with each. */
/* Context: while arming, in the program's thread; may allocate and block. */
#include "engine/hook_list.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hook_start.h"
#include "engine/hook_state.h"
#include "engine/shim.h"

struct hook_list hook_list;

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

    for (const struct hook *other = hook_list.first; other < hook; other++) {
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
int hook_list_load(const struct hook_entries *entries, const cJSON *before, enum hooks_ours ours)
{
    struct hook *new = calloc(entries->count + 1, sizeof(*new));
    size_t count = 0;
    int result = new ? load_entries(new, entries, &count) : -ENOMEM;

    forget(hook_list.first, hook_list.count);
    hook_list = (struct hook_list){0};
    if (result < 0) {
        log_error("no memory to load the hooks: none will run");
        forget(new, count);
        return result;
    }
    qsort(new, count, sizeof(*new), by_priority);
    hook_list = (struct hook_list){.first = new, .count = count};
    FOR_EACH_HOOK(hook)
    {
        if (hook_is_ours(hook, ours)) {
            start(hook, before);
        } else {
            hook->status = "not run";
            strlcpy(hook->error, "it is for the process that founded the family",
                    sizeof(hook->error));
        }
    }
    return 0;
}
