/* SPDX-License-Identifier: MIT */
/* The one place that reads the environment. */
/* Context: arming; may allocate and block. */
#include <stdlib.h>

#include "boot/boot.h"
#include "sigsafe/log.h"

static void read_one(struct settings *settings, const struct settings_row *row)
{
    const char *value = secure_getenv(row->name);
    const struct settings_row *found;

    if (value && settings_set(settings, row->name, value, SETTINGS_ENVIRONMENT, &found) != 0) {
        log_warn("%s=%s is not valid (allowed: %s): using %s", row->name, value, row->allowed,
                 row->initial);
    }
}

void environment_read(struct settings *settings)
{
    const struct settings_row *rows = settings_rows();

    settings_init(settings);
    for (size_t i = 0; i < settings_row_count(); i++) {
        read_one(settings, &rows[i]);
    }
}
