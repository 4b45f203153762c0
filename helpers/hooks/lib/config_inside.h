/* SPDX-License-Identifier: MIT */
/* What the two halves of config.h share. */
/* Context: as config.h. */
#ifndef FLUXSHIM_HOOKS_CONFIG_INSIDE_H
#define FLUXSHIM_HOOKS_CONFIG_INSIDE_H

#include "lib/config.h"

/* NULL if the key isn't there, and after an error. */
const struct cJSON *config_find(const struct config_place *place, const char *key);

/* As config_wrong, of what has this whole name. */
void config_wrong_at(struct config *config, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
