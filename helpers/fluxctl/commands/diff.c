/* SPDX-License-Identifier: MIT */
/* fluxctl diff: what is different between two checkpoints. */
/* Context: a program of one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "document/compare.h"
#include "document/open.h"
#include "document/words.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/text.h"

enum { OPTION_JSON };

static const struct option_row options[] = {
    [OPTION_JSON] = {.name = "json", .letter = 'j', .text = "as JSON"},
};

#define SUM_BYTES   12 /* of a checksum: enough to see that it is another one */
#define SUM_COLUMNS 64

static const char *member_text(const cJSON *row, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, name));

    return text ? text : "";
}

static bool is_sum(const char *text)
{
    return strlen(text) == SUM_COLUMNS && strspn(text, "0123456789abcdef") == SUM_COLUMNS;
}

/* A member that is text, digits as they are written, or null; or, with another name, a time. */
static const char *value_of(const cJSON *row, const char *name, const char *name_ms)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(row, name);
    const cJSON *ms = cJSON_GetObjectItemCaseSensitive(row, name_ms);

    if (ms && !cJSON_IsNull(ms)) {
        return words_ms(strtod(ms->valuestring, NULL));
    }
    if (cJSON_IsString(item) && is_sum(item->valuestring)) {
        char text[SUM_BYTES + 1];

        (void)snprintf(text, sizeof(text), "%.*s", SUM_BYTES, item->valuestring);
        return text_visible(text);
    }
    return item && !cJSON_IsNull(item) ? text_visible(item->valuestring) : "-";
}

/* "+3", "-1.20 s". */
static const char *difference_of(const cJSON *row)
{
    const char *value = value_of(row, "difference", "difference_ms");
    char text[128];

    if (strcmp(value, "-") == 0) {
        return "";
    }
    (void)snprintf(text, sizeof(text), "%s%s", value[0] == '-' ? "" : "+", value);
    return text_visible(text);
}

static void print_rows(const cJSON *rows)
{
    static const struct table_column columns[] = {{"WHAT", TABLE_LEFT},
                                                  {"NAME", TABLE_LEFT},
                                                  {"OLD", TABLE_LEFT},
                                                  {"NEW", TABLE_LEFT},
                                                  {"DIFFERENCE", TABLE_RIGHT}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        table_row(table, member_text(row, "what"), text_visible(member_text(row, "name")),
                  value_of(row, "old", "old_ms"), value_of(row, "new", "new_ms"),
                  difference_of(row));
    }
    table_print(table, 0);
}

static enum status print_differences(const struct document *old, const struct document *new,
                                     bool as_json)
{
    cJSON *rows = compare(old, new);
    bool same = cJSON_GetArraySize(rows) == 0;
    enum status status = same ? STATUS_OK : STATUS_NO;

    if (!as_json) {
        if (!same) {
            print_rows(rows);
        }
        cJSON_Delete(rows);
        return status;
    }
    cJSON *root = cJSON_CreateObject();

    (void)cJSON_AddBoolToObject(root, "same", same);
    (void)cJSON_AddItemToObject(root, "differences", rows);
    return output_json(root) ? status : STATUS_NO;
}

static enum status run(struct call *call)
{
    struct document old, new;

    if (strcmp(call->arguments[0], "-") == 0 && strcmp(call->arguments[1], "-") == 0) {
        say("only one of the two can be stdin");
        return STATUS_USAGE;
    }
    enum status status = document_open(call->arguments[0], &old);

    if (status != STATUS_OK) {
        return status;
    }
    status = document_open(call->arguments[1], &new);
    if (status == STATUS_OK) {
        status = print_differences(&old, &new, call->values[OPTION_JSON] != NULL);
        document_free(&new);
    }
    document_free(&old);
    return status;
}

const struct command command_diff = {
    .name = "diff",
    .arguments = "OLD NEW",
    .least = 2,
    .most = 2,
    .completes = COMPLETES_FILE,
    .summary = "what is different between two checkpoints",
    .details = "Durations that are less than a millisecond apart count as the same.\n"
               "Exit status 0: nothing that matters, 1: something, or one is no checkpoint.",
    COMMAND_OPTIONS(options),
    .run = run,
};
