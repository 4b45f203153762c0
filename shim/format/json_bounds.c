/* SPDX-License-Identifier: MIT */
/* Counts brackets and commas outside of strings. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "format/json_bounds.h"

/* Behind the string that begins at `at`. */
static const char *behind_string(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        at += at[0] == '\\' && at[1] != '\0';
    }
    return *at == '"' ? at + 1 : at;
}

bool json_is_bounded(const char *text, unsigned depth_most, unsigned items_most)
{
    unsigned depth = 0, items = 0;

    while (*text != '\0' && depth <= depth_most && items <= items_most) {
        depth += *text == '{' || *text == '[';
        depth -= (*text == '}' || *text == ']') && depth > 0;
        items += *text == ',' || *text == '{' || *text == '[';
        text = *text == '"' ? behind_string(text) : text + 1;
    }
    return *text == '\0';
}
