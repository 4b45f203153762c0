/* SPDX-License-Identifier: MIT */
/* A hook's first calls: init, restore and the event RUNNING. */
/* Context: while arming, in the program's thread; blocks as long as the hook does. */
#ifndef FLUXSHIM_ENGINE_HOOK_START_H
#define FLUXSHIM_ENGINE_HOOK_START_H

#include "engine/plugin.h"

/*
 * `config` is JSON text; so is `state`, NULL: there is none to restore. What fails is the plugin's
 * error: it will not run.
 */
void hook_start(struct plugin *plugin, const char *config, const char *state);

#endif
