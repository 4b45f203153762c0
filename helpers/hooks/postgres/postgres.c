/* SPDX-License-Identifier: MIT */
/* Built-in hook: SQL for a PostgreSQL server, when this one begins to serve and when it stops. */
/* Context: init and RUNNING in the program's thread, cleanup on the hook's own; blocks. */
#include <errno.h>
#include <stdlib.h>

#include "fluxshim.h"
#include "lib/config.h"
#include "lib/log.h"
#include "postgres/session.h"

const char hook_name[] = "postgres";

#define TIMEOUT_MS 3000

struct postgres {
    const char *connection; /* may hold a password: never shown */
    const char **restore, **shutdown;
    size_t restore_count, shutdown_count;
    int64_t timeout_ms;
    int error; /* of the restore statements; cleanup returns it */
};

static int init(const char *json, void **ret_instance)
{
    struct config config;
    struct config_place top = config_open(&config, json);
    struct postgres *postgres = config_allocate(&config, sizeof(*postgres));

    if (!postgres) {
        return config_close(&config, NULL, ret_instance);
    }
    config_only(&top, "connection restore shutdown timeout");
    postgres->connection = config_text(&top, "connection", CONFIG_NEEDED);
    if (postgres->connection && !session_is_connection(postgres->connection)) {
        config_wrong(&top, "connection", "isn't one that libpq takes (host=... dbname=...)");
    }
    postgres->restore = config_texts(&top, "restore", &postgres->restore_count);
    postgres->shutdown = config_texts(&top, "shutdown", &postgres->shutdown_count);
    postgres->timeout_ms = config_duration(&top, "timeout", TIMEOUT_MS);
    if (postgres->restore_count + postgres->shutdown_count == 0) {
        config_wrong(&top, "shutdown", "is missing, and so is restore: there is nothing to do");
    }
    return config_close(&config, postgres, ret_instance);
}

static void event(void *instance, const struct flux_event *event)
{
    struct postgres *postgres = instance;

    if (event->phase == FLUX_PHASE_RUNNING) {
        postgres->error = session_run(postgres->connection, postgres->restore,
                                      postgres->restore_count, postgres->timeout_ms);
    }
}

static int cleanup(void *instance)
{
    const struct postgres *postgres = instance;
    int error = session_run(postgres->connection, postgres->shutdown, postgres->shutdown_count,
                            postgres->timeout_ms);

    return postgres->error ? postgres->error : error;
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = hook_name,
    .priority = FLUX_PRIORITY_DATABASE,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .event = event,
    .cleanup = cleanup,
};
