/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/hook_state: what may be kept, and what is found again. */
/* Context: a program that prints TAP; single-threaded. */
#include "../../shim/engine/hook_state.h"
#include "unit.h"

#include <stdlib.h>

#include "engine/hook_thread.h"

static void fault_is(const char *state, const char *fault)
{
    const char *found = hook_state_fault(state);

    unit_text(state ? state : "none", found ? found : "", fault);
}

/* Arrays in arrays. */
static const char *nested(int depth)
{
    static char text[4096];

    memset(text, '[', (size_t)depth);
    memset(text + depth, ']', (size_t)depth);
    text[2 * depth] = '\0';
    return text;
}

static void test_fault(void)
{
    fault_is(NULL, "");
    fault_is("1", "");
    fault_is("{\"a\": [1, {}]}", "");
    fault_is("", "what save wrote is not JSON");
    fault_is("{", "what save wrote is not JSON");
    fault_is("1 2", "what save wrote is not JSON");
    fault_is(nested(HOOK_STATE_DEPTH), "");
    fault_is(nested(HOOK_STATE_DEPTH + 1), "what save wrote is nested too deeply");
    fault_is(nested(999), "what save wrote is nested too deeply");
    fault_is(nested(2000), "what save wrote is not JSON");
}

static void found_is(const char *rows, const char *name, size_t occurrence, const char *state)
{
    cJSON *array = cJSON_Parse(rows);
    char *found = hook_state_of(array, name, occurrence);

    unit_text(rows, found ? found : "none", state);
    cJSON_free(found);
    cJSON_Delete(array);
}

static void test_find(void)
{
    static const char two[] =
        "[{\"name\":\"a\",\"state\":1},{\"name\":\"b\"},{\"name\":\"a\",\"state\":{\"x\":2}}]";

    found_is(two, "a", 0, "1");
    found_is(two, "a", 1, "{\"x\":2}");
    found_is(two, "a", 2, "none");
    found_is(two, "b", 0, "none");
    found_is(two, "c", 0, "none");
    found_is("[{\"name\":\"a\",\"state\":null}]", "a", 0, "none");
    found_is("{\"name\":\"a\"}", "a", 0, "none");
    found_is("[7, null, [\"name\"], {\"name\": 7, \"state\": 1}]", "a", 0, "none");
    found_is("7", "a", 0, "none");
    unit_true("no rows at all", hook_state_of(NULL, "a", 0) == NULL);
}

static void test_size(void)
{
    char *text = malloc(HOOK_STATE_MOST + 64);

    for (int room = -1; room <= 0; room++) { /* the longest, and one more */
        int digits = HOOK_STATE_MOST - 2 + room;
        sprintf(text, "[{\"name\":\"a\",\"state\":\"%0*d\"}]", digits - 0, 0);
        cJSON *array = cJSON_Parse(text);
        char *found = hook_state_of(array, "a", 0);

        unit_equal("is it found", found != NULL, room < 0);
        cJSON_free(found);
        cJSON_Delete(array);
    }
    free(text);
}

int main(void)
{
    test_fault();
    test_find();
    test_size();
    return unit_end();
}
