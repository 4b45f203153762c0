/* SPDX-License-Identifier: MIT */
/* Reads the text of a checkpoint, which anybody may have written. */
/* Context: arming and coordinator thread; works on memory only, may allocate. */

/*
 *     if (past_parse(text, size, &past) == 0) ... past.generation, past.lifetime
 *     past_free(&past);
 *
 * Size, depth and the number of values are bounded before anything is allocated for them, and each
 * member that is used is checked for its type and range: what doesn't fit makes the whole text no
 * checkpoint. Members that this version doesn't know are passed over.
 */
#ifndef FLUXSHIM_ENGINE_PAST_H
#define FLUXSHIM_ENGINE_PAST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/lifetime.h"

#define PAST_SIZE_MOST  33554432u /* the states of the most hooks that there can be, and the rest */
#define PAST_DEPTH_MOST 80        /* HOOK_STATE_DEPTH within hooks[].state, and some */
#define PAST_ITEMS_MOST 400000u

struct past {
    uint64_t generation;
    struct lifetime lifetime;
    pid_t pid;                /* who has written it, 0: unknown */
    bool while_serving;       /* its process had not stopped */
    uint64_t start_ticks;     /* of that process, 0: unknown */
    const cJSON *hooks;       /* array or NULL; within root */
    const cJSON *state_files; /* array or NULL; within root */
    cJSON *root;
};

/* `text` has a NUL behind its `size` bytes. 0, or -EBADMSG: it is no checkpoint. */
int past_parse(const char *text, size_t size, struct past *ret_past);

void past_free(struct past *past);

#endif
