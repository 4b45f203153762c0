/* SPDX-License-Identifier: MIT */
/* Calls init, restore and event of a hook that has just been opened. */
/* Context: while arming, in the program's thread; blocks as long as the hook does. */
#include "engine/hook_start.h"

#include <stdint.h>
#include <string.h>

#include "engine/hook_end.h"
#include "engine/hook_guard.h"

/* What the calls of one hook share. */
struct start {
    const struct flux_hook *hook;
    void *instance;
    const char *text;
    int result;
};

static void call_init(void *argument)
{
    struct start *start = argument;

    start->result = start->hook->init(start->text, &start->instance);
}

static void call_restore(void *argument)
{
    struct start *start = argument;

    start->result = start->hook->restore(start->instance, start->text);
}

static void call_event(void *argument)
{
    struct start *start = argument;
    struct flux_event running = {.size = sizeof(running),
                                 .phase = FLUX_PHASE_RUNNING,
                                 .remaining_ms = UINT64_MAX,
                                 .shutdown_ms = UINT64_MAX};

    start->hook->event(start->instance, &running);
}

static bool call(struct plugin *plugin, struct start *start, const char *name, void (*body)(void *))
{
    struct hook_guard guard;
    char reason[128];

    start->result = 0;
    if (!hook_guard_call(&guard, plugin->name, body, start)) {
        hook_end_reason(&guard.mark, name, reason, sizeof(reason));
        plugin_refuse(plugin, "%s", reason);
    } else if (start->result != 0) {
        const char *text = strerrordesc_np(start->result);

        plugin_refuse(plugin, "%s returned %d (%s)", name, start->result,
                      text ? text : "no errno value");
    }
    return plugin->error[0] == '\0';
}

void hook_start(struct plugin *plugin, const char *config, const char *state)
{
    const struct flux_hook *hook = &plugin->hook;
    struct start start = {.hook = hook, .instance = plugin->instance, .text = config};

    if (hook->init && !call(plugin, &start, "init", call_init)) {
        return;
    }
    start.text = state;
    if (hook->restore && state && !call(plugin, &start, "restore", call_restore)) {
        return;
    }
    if (hook->event) {
        (void)call(plugin, &start, "event", call_event);
    }
    plugin->instance = start.instance;
}
