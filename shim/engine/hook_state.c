/* SPDX-License-Identifier: MIT */
/* Checks and finds what hooks have saved. */
/* Context: arming and coordinator thread; may allocate, never blocks. */
#include "engine/hook_state.h"

#include <stdbool.h>
#include <string.h>

#include "engine/hook_thread.h"

/* cJSON itself goes 1000 deep and no further (CJSON_NESTING_LIMIT), so this recursion is bounded. */
static bool is_deeper_than(const cJSON *item, int most)
{
    const cJSON *child;

    if ((cJSON_IsArray(item) || cJSON_IsObject(item)) && most == 0) {
        return true;
    }
    cJSON_ArrayForEach(child, item)
    {
        if (is_deeper_than(child, most - 1)) {
            return true;
        }
    }
    return false;
}

const char *hook_state_fault(const char *state)
{
    cJSON *root = state ? cJSON_ParseWithOpts(state, NULL, 1) : NULL;
    const char *fault = NULL;

    if (state && !root) {
        fault = "what save wrote is not JSON";
    } else if (is_deeper_than(root, HOOK_STATE_DEPTH)) {
        fault = "what save wrote is nested too deeply";
    }
    cJSON_Delete(root);
    return fault;
}

static const cJSON *find(const cJSON *rows, const char *name, size_t occurrence)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, "name");

        if (cJSON_IsString(item) && strcmp(item->valuestring, name) == 0 && occurrence-- == 0) {
            return row;
        }
    }
    return NULL;
}

char *hook_state_of(const cJSON *rows, const char *name, size_t occurrence)
{
    const cJSON *row = find(rows, name, occurrence);
    const cJSON *state = cJSON_GetObjectItemCaseSensitive(row, "state");
    char *text = state && !cJSON_IsNull(state) ? cJSON_PrintUnformatted(state) : NULL;

    if (text && strlen(text) >= HOOK_STATE_MOST) {
        cJSON_free(text);
        text = NULL;
    }
    return text;
}
