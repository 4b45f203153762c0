/* SPDX-License-Identifier: MIT */
/* The one place that reads the environment. */
/* Context: arming; may allocate and block. */
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "sigsafe/log.h"

static void read_one(struct settings *settings, const struct settings_row *row)
{
    const char *value = secure_getenv(row->name);
    const struct settings_row *found;

    if (value && settings_set(settings, row->name, value, SETTINGS_ENVIRONMENT, &found) != 0) {
        log_warn("%s=%s is not valid (allowed: %s): using %s", row->name, value, row->allowed,
                 row->shown);
    }
}

void environment_read(struct settings *settings)
{
    const struct settings_row *rows = settings_rows();

    settings_init(settings);
    read_one(settings, &rows[SETTING_LOG]); /* first: it says where the rest is told */
    log_open(&settings->log);
    for (size_t i = 0; i < settings_row_count(); i++) {
        if (i != SETTING_LOG) {
            read_one(settings, &rows[i]);
        }
    }
}

const char *environment_run_dir(void)
{
    const char *value = secure_getenv("FLUX_RUN_DIR");

    return value && strlen(value) < SETTINGS_PATH_SIZE ? value : "";
}
