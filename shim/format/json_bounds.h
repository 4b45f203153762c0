/* SPDX-License-Identifier: MIT */
/* Looks how large a JSON text would become, before anything is allocated for it. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#ifndef FLUXSHIM_FORMAT_JSON_BOUNDS_H
#define FLUXSHIM_FORMAT_JSON_BOUNDS_H

#include <stdbool.h>

/* Is it nested at most `depth_most` deep, and has no more values? cJSON would go 1000 deep, and allocate for each value. */
bool json_is_bounded(const char *text, unsigned depth_most, unsigned items_most);

#endif
