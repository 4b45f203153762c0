/* SPDX-License-Identifier: MIT */
/* What a program may ask of the shim, and a hook: the functions of fluxshim.h. */
/* Context: each function's own, as fluxshim.h says; flux_subscribe() allocates. */
#include <errno.h>
#include <stdlib.h>

#include "fluxshim.h"
#include "sigsafe/crash.h"
#include "sigsafe/hold.h"
#include "sigsafe/life.h"
#include "sigsafe/log.h"
#include "sigsafe/subscribers.h"

#define API __attribute__((visibility("default")))

API int flux_trigger(void)
{
    int saved = errno;
    int result = hold_demand();

    errno = saved;
    return result;
}

API int flux_phase(void)
{
    return (int)atomic_load(&life->phase);
}

API int flux_subscribe(void (*callback)(void *context, const struct flux_event *event),
                       void *context)
{
    if (!callback) {
        return -EINVAL;
    }
    if (subscribers_reuse(callback, context)) {
        return 0;
    }
    struct subscriber *row = calloc(1, sizeof(*row));

    if (!row) {
        return -ENOMEM;
    }
    atomic_store(&row->callback, callback);
    atomic_store(&row->context, context);
    subscribers_add(row);
    return 0;
}

API int flux_unsubscribe(void (*callback)(void *context, const struct flux_event *event),
                         void *context)
{
    return subscribers_remove(callback, context) ? 0 : -ENOENT;
}

API void flux_log(int level, const char *text)
{
    int known = level < SETTINGS_LOG_ERROR ? SETTINGS_LOG_ERROR : level;
    const struct crash_mark *hook = crash_mark();

    known = known > SETTINGS_LOG_DEBUG ? SETTINGS_LOG_DEBUG : known;
    if (hook && hook->name) {
        log_line((enum settings_level)known, "hook %s: %s", hook->name, text ? text : "");
    } else {
        log_line((enum settings_level)known, "%s", text ? text : "");
    }
}
