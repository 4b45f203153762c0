/* SPDX-License-Identifier: MIT */
/* libcjson, opened only where something is to be read or written as JSON. */
/* Context: json_open() while arming, may allocate and block; then as cJSON. */

/*
 * Five mappings cost each fork of an armed process 5 us, and most servers have neither checkpoint
 * nor hooks nor a settings file. So nothing is linked to libcjson: json.c defines the names of
 * <cjson/cJSON.h> that the engine calls, and each goes through a table that json_open() fills. It
 * does so while arming and never later: dlopen() in the drain's thread could wait for the loader's
 * lock, which a thread of the program's may hold, and a chroot may have put the file out of reach.
 *
 * A call before json_open(), or after it has failed, would be of NULL: what needs JSON asks first.
 */
#ifndef FLUXSHIM_ENGINE_JSON_H
#define FLUXSHIM_ENGINE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/* False if it can't be had; the log then says why. Idempotent. */
bool json_open(void);

#endif
