/* SPDX-License-Identifier: MIT */
/* Single keys of a cJSON tree, each checked, the first fault kept with its name. */
/* Context: init, in the program's thread; may allocate and block. */
#include "lib/config.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_inside.h"
#include "lib/log.h"
#include "lib/phase.h"

#define DAY_MS 86400000

const char config_needed[] = "";

struct config_block {
    struct config_block *next;
    max_align_t bytes[];
};

/* What belongs to instances that run. Only init writes it, in the program's thread. */
static struct config_block *kept;

/* ---- errors ---- */

static void keep(struct config *config, const char *name, const char *format, va_list args)
{
    int n;

    if (config->error[0] != '\0') {
        return;
    }
    n = snprintf(config->error, sizeof(config->error), "%s ", name);
    vsnprintf(config->error + n, sizeof(config->error) - (size_t)n, format, args);
}

void config_wrong_at(struct config *config, const char *name, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    keep(config, name, format, args);
    va_end(args);
}

void config_wrong(const struct config_place *place, const char *key, const char *format, ...)
{
    char name[200];
    va_list args;

    snprintf(name, sizeof(name), "%s.%s", place->name, key);
    va_start(args, format);
    keep(place->config, name, format, args);
    va_end(args);
}

/* ---- memory ---- */

void *config_allocate(struct config *config, size_t size)
{
    struct config_block *block = calloc(1, sizeof(*block) + size);

    if (!block) {
        config_wrong_at(config, "config", "needs more memory than there is");
        return NULL;
    }
    block->next = config->blocks;
    config->blocks = block;
    return block->bytes;
}

const char *config_keep(struct config *config, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = config_allocate(config, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

static void free_blocks(struct config_block *block)
{
    while (block) {
        struct config_block *next = block->next;

        free(block);
        block = next;
    }
}

static void keep_blocks(struct config_block *blocks)
{
    struct config_block **end = &kept;

    while (*end) {
        end = &(*end)->next;
    }
    *end = blocks;
}

/* ---- the whole ---- */

struct config_place config_open(struct config *config, const char *json)
{
    struct config_place top = {.config = config, .name = "config"};

    log_open();
    *config = (struct config){.root = cJSON_Parse(json)};
    if (!config->root) {
        config_wrong_at(config, top.name, "isn't JSON");
    } else if (!cJSON_IsObject(config->root)) {
        config_wrong_at(config, top.name, "must be an object");
    } else {
        top.object = config->root;
    }
    return top;
}

int config_close(struct config *config, void *instance, void **ret_instance)
{
    cJSON_Delete(config->root);
    if (config->error[0] != '\0') {
        log_line(LOG_ERROR, "%s", config->error);
        free_blocks(config->blocks);
        return EINVAL;
    }
    keep_blocks(config->blocks);
    *ret_instance = instance;
    return 0;
}

static bool is_word_of(const char *word, const char *words)
{
    size_t n = strlen(word);

    for (const char *at = words; n > 0 && (at = strstr(at, word)); at += n) {
        if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

void config_only(const struct config_place *place, const char *keys)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, place->object)
    {
        if (!is_word_of(item->string, keys)) {
            config_wrong(place, item->string, "isn't known (there are: %s)", keys);
        }
    }
}

/* ---- single values ---- */

const cJSON *config_find(const struct config_place *place, const char *key)
{
    return place->object && place->config->error[0] == '\0'
               ? cJSON_GetObjectItemCaseSensitive(place->object, key)
               : NULL;
}

bool config_has(const struct config_place *place, const char *key)
{
    return config_find(place, key) != NULL;
}

const char *config_any_text(const struct config_place *place, const char *key, const char *fallback)
{
    const cJSON *item = config_find(place, key);

    if (item && cJSON_IsString(item)) {
        return config_keep(place->config, item->valuestring);
    }
    if (item) {
        config_wrong(place, key, "must be text");
    } else if (fallback == CONFIG_NEEDED) {
        config_wrong(place, key, "is missing");
    } else {
        return fallback;
    }
    return NULL;
}

const char *config_text(const struct config_place *place, const char *key, const char *fallback)
{
    const char *text = config_any_text(place, key, fallback);

    if (text && text != fallback && *text == '\0') {
        config_wrong(place, key, "must not be empty");
    }
    return text;
}

const char *config_path(const struct config_place *place, const char *key, const char *fallback)
{
    const char *text = config_text(place, key, fallback);

    if (text && text != fallback && *text != '/') {
        config_wrong(place, key, "must be an absolute path, not '%.60s'", text);
    }
    return text;
}

bool config_flag(const struct config_place *place, const char *key, bool fallback)
{
    const cJSON *item = config_find(place, key);

    if (item && !cJSON_IsBool(item)) {
        config_wrong(place, key, "must be true or false");
    }
    return item ? cJSON_IsTrue(item) : fallback;
}

int64_t config_number(const struct config_place *place, const char *key, int64_t least,
                      int64_t most, int64_t fallback)
{
    const cJSON *item = config_find(place, key);

    if (!item) {
        return fallback;
    }
    double value = item->valuedouble;

    if (!cJSON_IsNumber(item) || value < (double)least || value > (double)most ||
        value != (double)(int64_t)value) {
        config_wrong(place, key, "must be a whole number from %lld to %lld", (long long)least,
                     (long long)most);
        return fallback;
    }
    return (int64_t)value;
}

/* NaN if it is none. */
static double parse_duration(const char *text)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
    char *end;
    size_t digits = strspn(text, "0123456789.");
    double value = digits > 0 ? strtod(text, &end) : NAN;

    for (size_t i = 0; digits > 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) == 0 && end == text + digits) {
            return value * units[i].ms;
        }
    }
    return NAN;
}

int64_t config_duration(const struct config_place *place, const char *key, int64_t fallback)
{
    const cJSON *item = config_find(place, key);
    double ms = NAN;

    if (!item) {
        return fallback;
    }
    if (cJSON_IsNumber(item)) {
        ms = item->valuedouble * 1000;
    } else if (cJSON_IsString(item)) {
        ms = parse_duration(item->valuestring);
    }
    if (!(ms > 0 && ms <= DAY_MS)) { /* also NaN */
        config_wrong(place, key, "must be a duration such as 250ms, 1.5s or 2m, at most 24h");
        return fallback;
    }
    return ms < 1 ? 1 : (int64_t)ms;
}

static void wrong_choice(const struct config_place *place, const char *key,
                         const char *const *names)
{
    char list[200] = "";
    size_t n = 0;

    for (; *names && n < sizeof(list); names++) {
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", n > 0 ? ", " : "", *names);
    }
    config_wrong(place, key, "must be one of: %s", list);
}

int config_choice(const struct config_place *place, const char *key, const char *const *names,
                  int fallback)
{
    const char *text = config_text(place, key, fallback < 0 ? CONFIG_NEEDED : NULL);

    if (!text) {
        return fallback < 0 ? 0 : fallback;
    }
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], text) == 0) {
            return i;
        }
    }
    wrong_choice(place, key, names);
    return fallback < 0 ? 0 : fallback;
}

int config_phase(const struct config_place *place, const char *key, int fallback)
{
    return config_choice(place, key, phase_names, fallback);
}
