/* SPDX-License-Identifier: MIT */
/* Feeds the reader of the hooks' configuration with whatever libFuzzer makes up, as a list and as JSON. */
/* Context: a program of libFuzzer's, under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/hooks_config.h"
#include "engine/shim.h"
#include "fluxshim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((format(printf, 2, 3))) static void no_log(enum settings_level level,
                                                         const char *format, ...)
{
    (void)level;
    (void)format;
}

static const struct bridge stub = {.log = no_log};
const struct bridge *shim = &stub;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void use(struct hook_entries *entries)
{
    must(entries->count <= HOOKS_CONFIG_MOST);
    for (size_t i = 0; i < entries->count; i++) {
        const struct hook_entry *entry = &entries->list[i];

        must(entry->object != NULL && (entry->error || entry->object[0] != '\0'));
        must(entry->error || entry->priority >= -1);
        must(entry->error || entry->timeout >= -1);
        if (entry->config) {
            cJSON *config = cJSON_Parse(entry->config);

            must(config != NULL);
            cJSON_Delete(config);
        }
    }
    hooks_config_free(entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct hook_entries entries = {0};

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    (void)hooks_config_from_list(text, &entries);
    use(&entries);
    cJSON *array = cJSON_Parse(text);

    if (cJSON_IsArray(array)) {
        (void)hooks_config_from_array(array, "/etc/fluxshim.json", &entries);
        use(&entries);
    }
    cJSON_Delete(array);
    free(text);
    return 0;
}
