/* SPDX-License-Identifier: MIT */
/* Checks a checkpoint's text, and finds in it what the next start needs. */
/* Context: arming and coordinator thread; works on memory only, may allocate. */
#include "engine/past.h"

#include <errno.h>
#include <string.h>

#include "engine/document.h"

#define COUNT_MOST 9007199254740991.0 /* 2^53 - 1: exact in any JSON reader */
#define PID_MOST   4194304.0          /* PID_MAX_LIMIT */

/* ---- before it is parsed ---- */

/* Behind the string that begins at `at`. */
static const char *behind_string(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        at += at[0] == '\\' && at[1] != '\0';
    }
    return *at == '"' ? at + 1 : at;
}

/* Nesting and commas: cJSON would go 1000 deep, and allocate for each value. */
static bool is_bounded(const char *text)
{
    unsigned depth = 0, items = 0;

    while (*text != '\0' && depth <= PAST_DEPTH_MOST && items <= PAST_ITEMS_MOST) {
        depth += *text == '{' || *text == '[';
        depth -= (*text == '}' || *text == ']') && depth > 0;
        items += *text == ',' || *text == '{' || *text == '[';
        text = *text == '"' ? behind_string(text) : text + 1;
    }
    return *text == '\0';
}

/* ---- members ---- */

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* A whole number from 0 on; one that is too large for that stays at the most. */
static bool read_count(const cJSON *object, const char *name, uint64_t *ret_count)
{
    const cJSON *item = member(object, name);

    if (!item) {
        *ret_count = 0;
        return true;
    }
    if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0)) {
        return false;
    }
    *ret_count = (uint64_t)(item->valuedouble < COUNT_MOST ? item->valuedouble : COUNT_MOST);
    return true;
}

static bool read_lifetime(const cJSON *root, struct lifetime *lifetime)
{
    const cJSON *object = member(root, "lifetime");

    if (object && !cJSON_IsObject(object)) {
        return false;
    }
    return read_count(object, "starts", &lifetime->starts) &&
           read_count(object, "stops", &lifetime->stops) &&
           read_count(object, "accepted", &lifetime->accepted) &&
           read_count(object, "drained", &lifetime->drained) &&
           read_count(object, "forced", &lifetime->forced) &&
           read_count(object, "seconds", &lifetime->seconds);
}

static bool read_array(const cJSON *root, const char *name, const cJSON **ret_array)
{
    const cJSON *item = member(root, name);

    *ret_array = item;
    return !item || cJSON_IsArray(item);
}

static bool is_text(const cJSON *root, const char *name, const char *text)
{
    const char *value = cJSON_GetStringValue(member(root, name));

    return value && strcmp(value, text) == 0;
}

static bool read_writer(struct past *past)
{
    const cJSON *process = member(past->root, "process"), *pid = member(process, "pid");

    if (cJSON_IsNumber(pid) && pid->valuedouble >= 1 && pid->valuedouble <= PID_MOST) {
        past->pid = (pid_t)pid->valuedouble;
    }
    past->while_serving =
        is_text(past->root, "reason", "periodic") || is_text(past->root, "reason", "request");
    return read_count(process, "start_ticks", &past->start_ticks);
}

static bool read_members(struct past *past)
{
    return read_writer(past) && is_text(past->root, "schema", DOCUMENT_SCHEMA) &&
           read_count(past->root, "generation", &past->generation) && past->generation >= 1 &&
           (double)past->generation < COUNT_MOST && read_lifetime(past->root, &past->lifetime) &&
           read_array(past->root, "hooks", &past->hooks) &&
           read_array(past->root, "state_files", &past->state_files);
}

int past_parse(const char *text, size_t size, struct past *ret_past)
{
    struct past past = {0};

    if (size > PAST_SIZE_MOST || strlen(text) != size || !is_bounded(text)) {
        return -EBADMSG;
    }
    past.root = cJSON_ParseWithOpts(text, NULL, 1);
    if (!past.root || !read_members(&past)) {
        cJSON_Delete(past.root);
        return -EBADMSG;
    }
    *ret_past = past;
    return 0;
}

void past_free(struct past *past)
{
    cJSON_Delete(past->root);
    *past = (struct past){0};
}
