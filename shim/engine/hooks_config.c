/* SPDX-License-Identifier: MIT */
/* Takes the list of hooks apart, from text or from JSON. */
/* Context: while arming, in the program's thread; may allocate, never blocks. */
#include "engine/hooks_config.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "engine/shim.h"
#include "fluxshim.h"

#define NS_PER_S  1000000000.0
#define LONGEST_S (366.0 * 24 * 3600) /* as format/settings.h allows */
#define KEYS      "name, path, priority, scope, timeout, config"

/* ---- entries ---- */

static bool make_room(struct hook_entries *entries, size_t count)
{
    count = count < HOOKS_CONFIG_MOST ? count : HOOKS_CONFIG_MOST;
    entries->list = calloc(count > 0 ? count : 1, sizeof(*entries->list));
    entries->count = 0;
    return entries->list != NULL;
}

static struct hook_entry *add(struct hook_entries *entries)
{
    struct hook_entry *entry = &entries->list[entries->count++];

    *entry = (struct hook_entry){.priority = -1, .scope = -1, .timeout = -1};
    return entry;
}

void hooks_config_free(struct hook_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->list[i].object);
        free(entries->list[i].config);
        free(entries->list[i].error);
    }
    free(entries->list);
    *entries = (struct hook_entries){0};
}

/* ---- FLUX_HOOKS ---- */

static bool is_number(const char *text)
{
    text += *text == '-';
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Cuts `=priority` off the text. */
static int take_priority(struct hook_entry *entry, char *text)
{
    char *equals = strrchr(text, '=');
    const char *error = NULL;

    if (!equals || !is_number(equals + 1)) {
        return 0;
    }
    if (equals == text) {
        entry->error = strdup("it names no hook");
        return entry->error ? 0 : -ENOMEM;
    }
    *equals = '\0';
    entry->priority = (int)strtonum(equals + 1, 0, FLUX_PRIORITY_MOST, &error);
    if (!error) {
        return 0;
    }
    entry->priority = -1;
    return asprintf(&entry->error, "its priority is %s, allowed is 0 to %d", error,
                    FLUX_PRIORITY_MOST) < 0
               ? -ENOMEM
               : 0;
}

static int add_text(struct hook_entries *entries, char *text)
{
    struct hook_entry *entry = add(entries);
    int result = take_priority(entry, text);

    entry->object = strdup(text);
    return entry->object ? result : -ENOMEM;
}

static int add_texts(struct hook_entries *entries, char *rest)
{
    char *text;
    int result = 0;

    while (result == 0 && (text = strsep(&rest, ":"))) {
        if (*text == '\0') {
            continue;
        }
        if (entries->count == HOOKS_CONFIG_MOST) {
            log_error("FLUX_HOOKS names more than %d hooks; the rest will not run",
                      HOOKS_CONFIG_MOST);
            break;
        }
        result = add_text(entries, text);
    }
    return result;
}

static size_t texts_at_most(const char *list)
{
    size_t count = 1;

    for (; *list; list++) {
        count += *list == ':';
    }
    return count;
}

int hooks_config_from_list(const char *text, struct hook_entries *ret_entries)
{
    char *copy = strdup(text);
    int result = copy && make_room(ret_entries, texts_at_most(text)) ? 0 : -ENOMEM;

    if (result == 0) {
        result = add_texts(ret_entries, copy);
    }
    free(copy);
    return result;
}

/* ---- the array ---- */

/* Where an element stands, for what is told of it. */
struct place {
    const char *file;
    size_t number; /* from 1 */
};

/* The first fault is the one that counts. */
static int fault(struct hook_entry *entry, const struct place *place, const char *key,
                 const char *what)
{
    if (entry->error) {
        return 0;
    }
    return asprintf(&entry->error, "config %s: hooks[%zu]%s%s %s", place->file, place->number,
                    key[0] ? "." : "", key, what) < 0
               ? -ENOMEM
               : 0;
}

/* As plugin_path() takes it. */
static bool is_path(const char *object)
{
    size_t n = strlen(object);

    return strchr(object, '/') || (n > 3 && strcmp(object + n - 3, ".so") == 0);
}

static int set_object(struct hook_entry *entry, const struct place *place, const cJSON *item)
{
    bool is_name = strcmp(item->string, "name") == 0;

    if (!cJSON_IsString(item) || item->valuestring[0] == '\0') {
        return fault(entry, place, item->string, "must be text");
    }
    if (is_name && is_path(item->valuestring)) {
        return fault(entry, place, "name", "must name a built-in hook: a path goes into 'path'");
    }
    if (entry->object) {
        return fault(entry, place, "", "has both a name and a path, or one of them twice");
    }
    /* A path without a folder is one of the working folder, and no name. */
    bool bare = !is_name && !strchr(item->valuestring, '/');

    return asprintf(&entry->object, "%s%s", bare ? "./" : "", item->valuestring) < 0 ? -ENOMEM : 0;
}

static int set_priority(struct hook_entry *entry, const struct place *place, const cJSON *item)
{
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;

    if (!(value >= 0 && value <= FLUX_PRIORITY_MOST) || value != (int)value) {
        return fault(entry, place, "priority", "must be a number from 0 to 1000000");
    }
    entry->priority = (int)value;
    return 0;
}

static int set_scope(struct hook_entry *entry, const struct place *place, const cJSON *item)
{
    const char *text = cJSON_IsString(item) ? item->valuestring : "";

    if (strcmp(text, "family") != 0 && strcmp(text, "process") != 0) {
        return fault(entry, place, "scope", "must be \"family\" or \"process\"");
    }
    entry->scope = text[0] == 'f' ? FLUX_SCOPE_FAMILY : FLUX_SCOPE_PROCESS;
    return 0;
}

static int set_timeout(struct hook_entry *entry, const struct place *place, const cJSON *item)
{
    double seconds = cJSON_IsNumber(item) ? item->valuedouble : -1;

    if (cJSON_IsString(item) && settings_duration(item->valuestring, &entry->timeout) == 0) {
        return 0;
    }
    if (!(seconds >= 0 && seconds <= LONGEST_S)) {
        return fault(entry, place, "timeout",
                     "must be a duration such as 30, \"1.5s\", \"250ms\", \"2m\" or \"1h\"");
    }
    entry->timeout = (int64_t)(seconds * NS_PER_S);
    return 0;
}

static int set_config(struct hook_entry *entry, const cJSON *item)
{
    free(entry->config);
    entry->config = cJSON_PrintUnformatted(item);
    return entry->config ? 0 : -ENOMEM;
}

static int set_member(struct hook_entry *entry, const struct place *place, const cJSON *item)
{
    const char *key = item->string;

    if (strcmp(key, "name") == 0 || strcmp(key, "path") == 0) {
        return set_object(entry, place, item);
    }
    if (strcmp(key, "priority") == 0) {
        return set_priority(entry, place, item);
    }
    if (strcmp(key, "scope") == 0) {
        return set_scope(entry, place, item);
    }
    if (strcmp(key, "timeout") == 0) {
        return set_timeout(entry, place, item);
    }
    if (strcmp(key, "config") == 0) {
        return set_config(entry, item);
    }
    log_warn("config %s: hooks[%llu] can't have a key '%s' (allowed: " KEYS ")", place->file,
             (unsigned long long)place->number, key);
    return 0;
}

static int set_members(struct hook_entry *entry, const struct place *place, const cJSON *element)
{
    const cJSON *item;
    int result = 0;

    cJSON_ArrayForEach(item, element)
    {
        result = result < 0 ? result : set_member(entry, place, item);
    }
    if (result == 0 && !entry->object) {
        result = fault(entry, place, "", "must have a name or a path");
    }
    return result;
}

static int add_element(struct hook_entries *entries, const struct place *place,
                       const cJSON *element)
{
    struct hook_entry *entry = add(entries);
    int result = 0;

    if (cJSON_IsString(element) && element->valuestring[0] != '\0') {
        entry->object = strdup(element->valuestring);
    } else if (cJSON_IsObject(element)) {
        result = set_members(entry, place, element);
    } else {
        result = fault(entry, place, "", "must be an object, or text");
    }
    if (!entry->object && asprintf(&entry->object, "hooks[%zu]", place->number) < 0) {
        entry->object = NULL;
    }
    return entry->object ? result : -ENOMEM;
}

int hooks_config_from_array(const cJSON *array, const char *file, struct hook_entries *ret_entries)
{
    struct place place = {.file = file, .number = 0};
    int result = make_room(ret_entries, (size_t)cJSON_GetArraySize(array)) ? 0 : -ENOMEM;
    const cJSON *element;

    cJSON_ArrayForEach(element, array)
    {
        place.number++;
        if (result == 0 && place.number <= HOOKS_CONFIG_MOST) {
            result = add_element(ret_entries, &place, element);
        }
    }
    if (place.number > HOOKS_CONFIG_MOST) {
        log_error("config %s: hooks has more than %d entries; the rest will not run", file,
                  HOOKS_CONFIG_MOST);
    }
    return result;
}
