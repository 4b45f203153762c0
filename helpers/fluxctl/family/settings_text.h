/* SPDX-License-Identifier: MIT */
/* A setting's value as FLUX_ variables have it, and where it came from. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_FAMILY_SETTINGS_TEXT_H
#define FLUXCTL_FAMILY_SETTINGS_TEXT_H

#include "format/settings.h"

/* Good until the next call; may hold anything. "" for none. */
const char *settings_value(const struct settings *settings, enum settings_id id);

/* "default", "file", "environment". */
const char *settings_origin_name(enum settings_origin origin);

#endif
