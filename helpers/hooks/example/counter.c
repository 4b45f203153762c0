/* SPDX-License-Identifier: MIT */
/* A hook of the full form to copy: counts the server's starts, also across restarts. */

/*
 *     cc -std=c99 -shared -fPIC -Wall -I shim -o counter.so counter.c
 *     FLUX_CONFIG: {"checkpoint": "/var/lib/server/state.json", "hooks": [{"path": "/path/counter.so"}]}
 *
 * What save gives is kept in the checkpoint, and restore gets it at the next start. Threads, and the
 * order of the calls: shim/fluxshim.h. A callback that isn't needed is left out.
 */
#include "fluxshim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct counter {
    unsigned starts;
};

static int init(const char *config, void **ret_instance)
{
    struct counter *counter = calloc(1, sizeof(*counter));

    (void)config; /* JSON text */
    *ret_instance = counter;
    return counter ? 0 : ENOMEM;
}

static int restore(void *instance, const char *state)
{
    struct counter *counter = instance;

    return sscanf(state, "{ \"starts\":%u", &counter->starts) == 1 ? 0 : EINVAL;
}

static void event(void *instance, const struct flux_event *event)
{
    struct counter *counter = instance;

    counter->starts += event->phase == FLUX_PHASE_RUNNING;
}

static int cleanup(void *instance)
{
    const struct counter *counter = instance;
    char line[64];

    snprintf(line, sizeof(line), "start %u ends", counter->starts);
    flux_log(2, line);
    return 0;
}

static int64_t save(void *instance, char *buffer, uint64_t size)
{
    const struct counter *counter = instance;

    return snprintf(buffer, size, "{\"starts\":%u}", counter->starts);
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    FLUX_HOOK_ABI,     sizeof(struct flux_hook),
    "counter",         FLUX_PRIORITY_DEFAULT,
    FLUX_SCOPE_FAMILY, init,
    restore,           event,
    cleanup,           save,
};
