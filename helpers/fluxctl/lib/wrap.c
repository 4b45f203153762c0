/* SPDX-License-Identifier: MIT */
/* Breaks lines at spaces. */
/* Context: a program of one thread. */
#include "lib/wrap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define COLUMNS_LEAST 8

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Bytes of `text` that go into a line of `most` columns; the space at the break isn't one of them. */
static size_t line_of(const char *text, size_t most)
{
    size_t at = 0, columns = 0, space = 0;

    while (text[at]) {
        if (text[at] == ' ') {
            space = at;
        }
        columns += !continues(text[at]);
        if (columns > most) {
            return space > 0 ? space : at;
        }
        at++;
    }
    return at;
}

void wrap_print(const char *text, size_t indent, enum color shade)
{
    size_t columns = output_columns(SIZE_MAX);

    indent = indent + COLUMNS_LEAST > columns ? 0 : indent;
    size_t most = columns - indent < COLUMNS_LEAST ? COLUMNS_LEAST : columns - indent;

    do {
        size_t size = line_of(text, most);

        (void)printf("%*s%s%.*s%s\n", (int)indent, "", shade == COLOR_PLAIN ? "" : color(shade),
                     (int)size, text, shade == COLOR_PLAIN ? "" : color(COLOR_PLAIN));
        text += size;
        text += *text == ' ';
    } while (*text);
}

void wrap_printf(size_t indent, enum color shade, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int size = vasprintf(&text, format, arguments);

    va_end(arguments);
    if (size >= 0) {
        wrap_print(text, indent, shade);
        free(text);
    }
}
