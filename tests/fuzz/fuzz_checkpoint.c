/* SPDX-License-Identifier: MIT */
/* Feeds the reader of checkpoints with whatever libFuzzer makes up. */
/* Context: a program of libFuzzer's, under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hook_state.h"
#include "engine/past.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void use(const struct past *past)
{
    char *state = hook_state_of(past->hooks, "counter", 0);

    must(past->generation >= 1 && past->generation < UINT64_C(1) << 53);
    must(past->lifetime.seconds < UINT64_C(1) << 53);
    must(past->pid >= 0);
    must(!past->hooks || cJSON_IsArray(past->hooks));
    must(!past->state_files || cJSON_IsArray(past->state_files));
    cJSON_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct past past = {0};

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (past_parse(text, size, &past) == 0) {
        use(&past);
    }
    past_free(&past);
    free(text);
    return 0;
}
