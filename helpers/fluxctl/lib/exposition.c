/* SPDX-License-Identifier: MIT */
/* Writes groups and samples. */
/* Context: a program of one thread. */
#include "lib/exposition.h"

#include <inttypes.h>

#include "lib/text.h"

#define NS_PER_MS   1000000
#define REPLACEMENT "\xef\xbf\xbd"

void exposition_group(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* One character, of `size` bytes if it is one that a terminal must not get. */
static void print_character(FILE *out, const char *at, size_t size)
{
    switch (*at) {
    case '\n':
        (void)fputs("\\n", out);
        break;
    case '\\':
    case '"':
        (void)fprintf(out, "\\%c", *at);
        break;
    default:
        (void)(size > 0 ? fputs(REPLACEMENT, out) : fputc(*at, out));
    }
}

static void print_escaped(FILE *out, const char *text)
{
    uint32_t character;

    while (*text) {
        size_t size = text_harmful(text, &character);

        print_character(out, text, size);
        text += size > 0 ? size : 1;
    }
}

void exposition_sample(FILE *out, const char *name, const char *value,
                       const struct exposition_label *labels, size_t count)
{
    (void)fputs(name, out);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
        print_escaped(out, text_valid(labels[i].value));
        (void)fputc('"', out);
    }
    (void)fprintf(out, "%s %s\n", count > 0 ? "}" : "", value);
}

const char *exposition_count(uint64_t value)
{
    char digits[32];

    (void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
    return text_valid(digits);
}

const char *exposition_seconds(int64_t ns)
{
    char digits[64];
    int64_t ms = ns > 0 ? ns / NS_PER_MS : 0;

    (void)snprintf(digits, sizeof(digits), "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
    return text_valid(digits);
}
