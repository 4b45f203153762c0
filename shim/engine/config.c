/* SPDX-License-Identifier: MIT */
/* Reads the settings file and hands each of its members to the settings. */
/* Context: while arming, in the program's thread; may allocate and block. */
#include "engine/config.h"

#include <bsd/string.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/file.h"
#include "engine/shim.h"

#define FILE_MOST   1048576
#define VALUE_SHOWN 80 /* of a value, in the log */

/* ---- its members ---- */

/* The value as it would stand in the environment, or NULL if it couldn't. */
static const char *value_text(const cJSON *item, char *number, int size)
{
    if (cJSON_IsString(item)) {
        return item->valuestring;
    }
    if (cJSON_IsBool(item)) {
        return cJSON_IsTrue(item) ? "true" : "false";
    }
    if (!cJSON_IsNumber(item) || !cJSON_PrintPreallocated((cJSON *)item, number, size, 0)) {
        return NULL;
    }
    return number;
}

static void set_member(struct settings *settings, const char *path, const cJSON *item)
{
    const struct settings_row *row;
    const char *key = item->string;
    char number[64], shown[VALUE_SHOWN];
    const char *value = value_text(item, number, sizeof(number));
    int result = -ENOENT;

    if (strncmp(key, "FLUX_", 5) != 0) { /* "" as the default changes nothing, and finds the row */
        result = settings_set(settings, key, value ? value : "",
                              value ? SETTINGS_FILE : SETTINGS_DEFAULT, &row);
    }
    if (result == -ENOENT) {
        log_warn("config %s: there is no setting '%s'", path, key);
    } else if (!value) {
        log_warn("config %s: %s must be text, %sa number, true or false: %s", path, key,
                 strcmp(key, "hooks") == 0 ? "an array of hooks, " : "", row->allowed);
    } else if (result < 0) {
        strlcpy(shown, value, sizeof(shown));
        log_warn("config %s: %s = '%s' is not allowed: %s", path, key, shown, row->allowed);
    }
}

static void tell_position(const char *path, const char *text, const char *at)
{
    int line = 1, column = 1;

    for (; text < at; text++) {
        column = *text == '\n' ? 1 : column + 1;
        line += *text == '\n';
    }
    log_error("config %s: not valid JSON at line %d, column %d; none of it is used", path, line,
              column);
}

/* The array; FLUX_HOOKS in the environment takes its place. */
static int set_hooks(struct settings *settings, const char *path, const cJSON *array,
                     struct hook_entries *ret_hooks)
{
    hooks_config_free(ret_hooks);
    if (settings_origin_of(settings, SETTING_HOOKS) == SETTINGS_ENVIRONMENT) {
        return 0;
    }
    settings->hooks[0] = '\0';
    return hooks_config_from_array(array, path, ret_hooks);
}

static int apply_members(struct settings *settings, const char *path, const cJSON *root,
                         struct hook_entries *ret_hooks)
{
    const cJSON *item;
    int result = 0;

    cJSON_ArrayForEach(item, root)
    {
        if (cJSON_IsArray(item) && strcmp(item->string, "hooks") == 0) {
            result = set_hooks(settings, path, item, ret_hooks);
        } else {
            set_member(settings, path, item);
        }
    }
    return result;
}

static int apply_text(struct settings *settings, const char *path, const char *text,
                      struct hook_entries *ret_hooks)
{
    const char *end = text;
    cJSON *root = cJSON_ParseWithLengthOpts(text, strlen(text) + 1, &end, 1);
    int result;

    if (!root) {
        tell_position(path, text, end);
        return -EINVAL;
    }
    if (!cJSON_IsObject(root)) {
        log_error("config %s: not a JSON object; none of it is used", path);
        cJSON_Delete(root);
        return -EINVAL;
    }
    result = apply_members(settings, path, root, ret_hooks);
    cJSON_Delete(root);
    return result;
}

int config_load(struct settings *settings, struct hook_entries *ret_hooks)
{
    char path[SETTINGS_PATH_SIZE];
    char *text = NULL;
    int result;

    strlcpy(path, settings->config, sizeof(path)); /* the file may have a member "config" */
    if (path[0] == '\0') {
        return 0;
    }
    result = file_read(AT_FDCWD, path, 0, FILE_MOST, &text);
    if (result < 0 || !text) {
        log_error("config %s cannot be read: %s", path,
                  result == -EINVAL ? "not a regular file" : strerror(-result));
        return result;
    }
    result = apply_text(settings, path, text, ret_hooks);
    free(text);
    return result;
}
