/* SPDX-License-Identifier: MIT */
/* Reads a hook's configuration, and names the key that is wrong. */
/* Context: init, in the program's thread; may allocate and block. */

/*
 *     struct config config;
 *     struct config_place top = config_open(&config, json);
 *     struct cache *cache = config_allocate(&config, sizeof(*cache));
 *
 *     if (!cache) {
 *         return config_close(&config, NULL, ret_instance);
 *     }
 *     config_only(&top, "path timeout actions");
 *     cache->path = config_text(&top, "path", CONFIG_NEEDED);
 *     cache->timeout_ms = config_duration(&top, "timeout", 3000);
 *     count = config_count(&top, "actions");
 *     for (i = 0; i < count; i++) {
 *         struct config_place at = config_item(&top, "actions", i);
 *         ...
 *     }
 *     return config_close(&config, cache, ret_instance);
 *
 * The first thing that is wrong is kept, and config_close tells it:
 *
 *     file: config.actions[1].path must be text
 *
 * After it every function gives its fallback or NULL, so that nothing needs to be checked in between
 * but what config_allocate gives. All that these functions give out is freed by config_close if something was wrong,
 * and else stays for good, as the hook does.
 */
#ifndef FLUXSHIM_HOOKS_CONFIG_H
#define FLUXSHIM_HOOKS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cJSON;

struct config_block;

struct config {
    struct cJSON *root;
    struct config_block *blocks;
    char error[400]; /* "" while all is well */
};

/* An object of the configuration, and how it is called in messages. */
struct config_place {
    struct config *config;
    const struct cJSON *object; /* NULL after an error */
    char name[100];
};

/* As a fallback: the key must be there. */
extern const char config_needed[];
#define CONFIG_NEEDED config_needed

struct config_place config_open(struct config *config, const char *json);

/* Zeroed, and aligned for anything; NULL, and an error is kept, if there is no memory. */
void *config_allocate(struct config *config, size_t size);

/* 0 and *ret_instance = instance; or EINVAL, and what was wrong is told. */
int config_close(struct config *config, void *instance, void **ret_instance);

/* Something is wrong with a key; printf's format. The first one counts. */
void config_wrong(const struct config_place *place, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Every key must be among these, which are separated by blanks. */
void config_only(const struct config_place *place, const char *keys);

/* A copy of the text. */
const char *config_keep(struct config *config, const char *text);

bool config_has(const struct config_place *place, const char *key);

/* Never empty, but for the fallback; config_any_text may be. NULL after an error. */
const char *config_text(const struct config_place *place, const char *key, const char *fallback);
const char *config_any_text(const struct config_place *place, const char *key,
                            const char *fallback);

/* Text that begins with '/'. */
const char *config_path(const struct config_place *place, const char *key, const char *fallback);

bool config_flag(const struct config_place *place, const char *key, bool fallback);

/* A whole number within these bounds. */
int64_t config_number(const struct config_place *place, const char *key, int64_t least,
                      int64_t most, int64_t fallback);

/* Milliseconds, of "250ms", "1.5s", "2m", "1h", or a number of seconds; at most a day. */
int64_t config_duration(const struct config_place *place, const char *key, int64_t fallback);

/* The index in `names`, which ends with NULL; a negative fallback: the key must be there. */
int config_choice(const struct config_place *place, const char *key, const char *const *names,
                  int fallback);

/* enum flux_phases, by name. */
int config_phase(const struct config_place *place, const char *key, int fallback);

/* How many items a list has; 0 if the key isn't there. */
size_t config_count(const struct config_place *place, const char *key);

/* One of a list of objects. */
struct config_place config_item(const struct config_place *place, const char *key, size_t index);

/*
 * A list of texts, with NULL at its end; NULL after an error or if the key isn't there.
 * config_texts_at: the index'th item of the list `key` is one itself.
 */
const char **config_texts(const struct config_place *place, const char *key, size_t *ret_count);
const char **config_texts_at(const struct config_place *place, const char *key, size_t index,
                             size_t *ret_count);

/* NAME=VALUE of an object of texts, as config_texts. */
const char **config_pairs(const struct config_place *place, const char *key, size_t *ret_count);

#endif
