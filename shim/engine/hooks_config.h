/* SPDX-License-Identifier: MIT */
/* What the configuration says of the hooks: FLUX_HOOKS, or the array `hooks` of FLUX_CONFIG. */
/* Context: while arming, in the program's thread; may allocate, never blocks. */

/*
 *     struct hook_entries entries = {0};
 *     hooks_config_from_list("file:/lib/db.so=10", &entries);          or _from_array(...)
 *     ...
 *     hooks_config_free(&entries);
 *
 * The list is `object[=priority]` separated by colons; a `=` belongs to the object unless a number
 * follows it. An element of the array is such an object as text, or a JSON object:
 *
 *     { "path": "/lib/db.so", "priority": 10, "scope": "process", "timeout": "2s", "config": {} }
 *
 * with `name` instead of `path` for a hook that is built in. What is wrong with an entry is its
 * `error`, ready to be shown; the others are not concerned. Keys that mean nothing are told.
 */
#ifndef FLUXSHIM_ENGINE_HOOKS_CONFIG_H
#define FLUXSHIM_ENGINE_HOOKS_CONFIG_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define HOOKS_CONFIG_MOST 256

struct hook_entry {
    char *object;    /* a path, or the name of one that is built in; "hooks[2]" if it has neither */
    int priority;    /* -1: the hook's own */
    int scope;       /* enum flux_scopes, -1: the hook's own */
    int64_t timeout; /* nanoseconds, -1: FLUX_HOOK_TIMEOUT */
    char *config;    /* JSON text, NULL: none */
    char *error;     /* NULL: there is none */
};

struct hook_entries {
    struct hook_entry *list;
    size_t count;
};

/* 0, or -ENOMEM with what could be kept. More than HOOKS_CONFIG_MOST are told and left out. */
int hooks_config_from_list(const char *text, struct hook_entries *ret_entries);
int hooks_config_from_array(const cJSON *array, const char *file, struct hook_entries *ret_entries);

void hooks_config_free(struct hook_entries *entries);

#endif
