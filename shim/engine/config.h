/* SPDX-License-Identifier: MIT */
/* The settings that come from the file named by FLUX_CONFIG. */
/* Context: while arming, in the program's thread; may allocate and block. */

/*
 * The file is one JSON object; its keys are the settings' names in lower case without FLUX_:
 *
 *     { "drain_timeout": "30s", "hooks": "/lib/a.so:/lib/b.so=10", "http": true, "idle": 0.5 }
 *
 * `hooks` may be an array instead, see hooks_config.h. Text is taken as it would be in the environment, numbers and true/false as their text. Where the
 * environment sets the same name, it wins. What can't be used (an unknown name, a list, a value
 * that isn't allowed) is told with file, name, value and what is allowed; the rest applies.
 */
#ifndef FLUXSHIM_ENGINE_CONFIG_H
#define FLUXSHIM_ENGINE_CONFIG_H

#include "engine/hooks_config.h"
#include "format/settings.h"

/*
 * 0 (also if no file is named), or -errno where the file can't be read or isn't such an object:
 * that is told too, and the settings are as before. A file that is no regular file or is larger
 * than 1 MiB isn't read. `ret_hooks`, empty before, is the array `hooks`, if that is what applies.
 */
int config_load(struct settings *settings, struct hook_entries *ret_hooks);

#endif
