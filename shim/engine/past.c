/* SPDX-License-Identifier: MIT */
/* Checks a checkpoint's text, and finds in it what the next start needs. */
/* Context: arming and coordinator thread; works on memory only, may allocate. */
#include "engine/past.h"

#include <errno.h>
#include <string.h>

#include "engine/document.h"
#include "format/json_bounds.h"

#define COUNT_MOST 9007199254740991.0 /* 2^53 - 1: exact in any JSON reader */
#define PID_MOST   4194304.0          /* PID_MAX_LIMIT */

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

    if (size > PAST_SIZE_MOST || strlen(text) != size ||
        !json_is_bounded(text, PAST_DEPTH_MOST, PAST_ITEMS_MOST)) {
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
