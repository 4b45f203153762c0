/* SPDX-License-Identifier: MIT */
/* Feeds fluxctl's reader of checkpoints with whatever libFuzzer makes up. */
/* Context: a program of libFuzzer's, under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "document/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* What is written of one that was good is good, and written the same. */
static void use(const struct document *document)
{
    cJSON *root = document_json(document);
    char *text = cJSON_Print(root);
    struct document again;
    struct fault fault;

    must(text && document_parse(text, strlen(text), &again, &fault) == 0);
    must(again.generation == document->generation && again.hook_count == document->hook_count);
    document_free(&again);
    cJSON_free(text);
    cJSON_Delete(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct document document;
    struct fault fault;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (document_parse(text, size, &document, &fault) == 0) {
        use(&document);
    } else {
        must(fault.text[0] != '\0');
    }
    document_free(&document);
    free(text);
    return 0;
}
