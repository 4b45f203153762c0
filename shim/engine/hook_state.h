/* SPDX-License-Identifier: MIT */
/* A hook's own JSON in the checkpoint: may it be written, and which was it? */
/* Context: arming and coordinator thread; may allocate, never blocks. */
#ifndef FLUXSHIM_ENGINE_HOOK_STATE_H
#define FLUXSHIM_ENGINE_HOOK_STATE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#define HOOK_STATE_DEPTH                                                                           \
    64 /* of nested arrays and objects: the whole document must stay readable */

/* What is wrong with it, or NULL. NULL is not wrong: there is none. */
const char *hook_state_fault(const char *state);

/*
 * The state in the row of that name in a checkpoint's array "hooks", allocated; `occurrence` rows
 * with the same name are passed over. NULL: there is none, or it is too large.
 */
char *hook_state_of(const cJSON *rows, const char *name, size_t occurrence);

#endif
