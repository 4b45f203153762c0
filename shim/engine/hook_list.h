/* SPDX-License-Identifier: MIT */
/* The hooks of this process, in the order in which they run. */
/* Context: written while arming, in the program's thread; then the coordinator's. */

/*
 * hook_list_load() opens what the configuration names, sorts it, and begins with each (hook_start.h).
 * A hook that can't be loaded costs only itself: one line in the log, and its plugin's `error`.
 */
#ifndef FLUXSHIM_ENGINE_HOOK_LIST_H
#define FLUXSHIM_ENGINE_HOOK_LIST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/hooks_config.h"
#include "engine/plugin.h"
#include "engine/record.h"

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

struct hook_list {
    struct hook *first;
    size_t count;
};

extern struct hook_list hook_list;

#define FOR_EACH_HOOK(hook)                                                                        \
    for (struct hook *hook = hook_list.first; hook < hook_list.first + hook_list.count; hook++)

/* Which of them this process calls: in a family, those of scope family are the owner's. */
enum hooks_ours { HOOKS_ALL, HOOKS_OF_PROCESS };

static inline bool hook_is_ours(const struct hook *hook, enum hooks_ours ours)
{
    return ours == HOOKS_ALL || hook->scope == FLUX_SCOPE_PROCESS;
}

/*
 * Takes the place of an earlier list. `before` is the array "hooks" of the last checkpoint, or NULL.
 * Those that aren't `ours` (this program was exec'd by a member of its family) are never called. 0,
 * or -ENOMEM: then there are no hooks.
 */
int hook_list_load(const struct hook_entries *entries, const cJSON *before, enum hooks_ours ours);

#endif
