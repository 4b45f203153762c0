/* SPDX-License-Identifier: MIT */
/* Escapes what has a meaning in XML. */
/* Context: a program of one thread. */
#include "lib/xml.h"

#include <string.h>

#include "lib/text.h"

#define ELLIPSIS "\xe2\x80\xa6"

static const char *entity(char byte)
{
    switch (byte) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* U+FFFE and U+FFFF are UTF-8, and no characters of XML. */
static int is_noncharacter(const char *at)
{
    return strncmp(at, "\xef\xbf\xbe", 3) == 0 || strncmp(at, "\xef\xbf\xbf", 3) == 0;
}

/* Bytes of what is visible already. */
static void write_bytes(FILE *out, const char *at, const char *end)
{
    while (at < end) {
        const char *instead = is_noncharacter(at) ? "\xef\xbf\xbd" : entity(*at);

        if (instead) {
            (void)fputs(instead, out);
        } else {
            (void)fputc(*at, out);
        }
        at += is_noncharacter(at) ? 3 : 1;
    }
}

void xml_text(FILE *out, const char *text)
{
    const char *shown = text_visible(text);

    write_bytes(out, shown, shown + strlen(shown));
}

static const char *behind_columns(const char *text, size_t columns)
{
    while (*text && (((unsigned char)*text & 0xc0) == 0x80 || columns-- > 0)) {
        text++;
    }
    return text;
}

void xml_cut(FILE *out, const char *text, size_t most)
{
    const char *shown = text_visible(text);

    if (text_columns(shown) <= most) {
        write_bytes(out, shown, shown + strlen(shown));
    } else if (most > 0) {
        write_bytes(out, shown, behind_columns(shown, most - 1));
        (void)fputs(ELLIPSIS, out);
    }
}
