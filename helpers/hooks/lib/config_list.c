/* SPDX-License-Identifier: MIT */
/* Lists and objects of a configuration: of texts, of lists of texts, of places. */
/* Context: init, in the program's thread; may allocate and block. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "lib/config.h"
#include "lib/config_inside.h"

static const cJSON *find_list(const struct config_place *place, const char *key)
{
    const cJSON *list = config_find(place, key);

    if (list && !cJSON_IsArray(list)) {
        config_wrong(place, key, "must be a list");
        return NULL;
    }
    return list;
}

size_t config_count(const struct config_place *place, const char *key)
{
    const cJSON *list = find_list(place, key);

    return list ? (size_t)cJSON_GetArraySize(list) : 0;
}

struct config_place config_item(const struct config_place *place, const char *key, size_t index)
{
    struct config_place item = {.config = place->config};
    const cJSON *list = find_list(place, key);
    const cJSON *object = list ? cJSON_GetArrayItem(list, (int)index) : NULL;

    snprintf(item.name, sizeof(item.name), "%.60s.%.20s[%zu]", place->name, key, index);
    if (object && !cJSON_IsObject(object)) {
        config_wrong_at(place->config, item.name, "must be an object");
    } else {
        item.object = object;
    }
    return item;
}

/* `name` is how the list is called in messages. */
static const char **texts_of(struct config *config, const cJSON *list, const char *name,
                             size_t *ret_count)
{
    size_t count = (size_t)cJSON_GetArraySize(list), i = 0;
    const char **texts = config_allocate(config, (count + 1) * sizeof(*texts));
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item)) {
            config_wrong_at(config, name, "must hold texts, and item %zu is none", i);
        }
        if (!texts || config->error[0] != '\0') {
            return NULL;
        }
        texts[i++] = config_keep(config, item->valuestring);
    }
    *ret_count = count;
    return texts;
}

const char **config_texts(const struct config_place *place, const char *key, size_t *ret_count)
{
    char name[200];
    const cJSON *list = find_list(place, key);

    *ret_count = 0;
    snprintf(name, sizeof(name), "%s.%s", place->name, key);
    return list ? texts_of(place->config, list, name, ret_count) : NULL;
}

const char **config_texts_at(const struct config_place *place, const char *key, size_t index,
                             size_t *ret_count)
{
    char name[200];
    const cJSON *list = find_list(place, key);
    const cJSON *inner = list ? cJSON_GetArrayItem(list, (int)index) : NULL;

    *ret_count = 0;
    snprintf(name, sizeof(name), "%s.%s[%zu]", place->name, key, index);
    if (!cJSON_IsArray(inner) || cJSON_GetArraySize(inner) == 0) {
        config_wrong_at(place->config, name, "must be a list of texts");
        return NULL;
    }
    return texts_of(place->config, inner, name, ret_count);
}

static const char *pair_of(const struct config_place *place, const char *key, const cJSON *item)
{
    size_t name_length = strlen(item->string), size;
    char *pair;

    if (!cJSON_IsString(item) || name_length == 0 || strchr(item->string, '=')) {
        config_wrong(place, key, "must hold names and texts: '%.60s' doesn't", item->string);
        return NULL;
    }
    size = name_length + 1 + strlen(item->valuestring) + 1;
    pair = config_allocate(place->config, size);
    if (pair) {
        snprintf(pair, size, "%s=%s", item->string, item->valuestring);
    }
    return pair;
}

const char **config_pairs(const struct config_place *place, const char *key, size_t *ret_count)
{
    const cJSON *object = config_find(place, key), *item;
    const char **pairs;
    size_t i = 0;

    *ret_count = 0;
    if (object && !cJSON_IsObject(object)) {
        config_wrong(place, key, "must be an object");
        return NULL;
    }
    if (!object) {
        return NULL;
    }
    pairs =
        config_allocate(place->config, ((size_t)cJSON_GetArraySize(object) + 1) * sizeof(*pairs));
    cJSON_ArrayForEach(item, object)
    {
        const char *pair = pair_of(place, key, item);

        if (!pairs || !pair) {
            return NULL;
        }
        pairs[i++] = pair;
    }
    *ret_count = i;
    return pairs;
}
