/* SPDX-License-Identifier: MIT */
/* Tests shim/format/utf8: the first and the last character of each length, and what is none. */
/* Context: a program that prints TAP; single-threaded. */
#include "format/utf8.h"

#include <stddef.h>
#include <stdio.h>

#include "unit.h"

static const struct {
    const char *name, *text;
    size_t length;
} rows[] = {
    {"U+0001", "\x01", 1},
    {"U+007F", "\x7f", 1},
    {"U+0080", "\xc2\x80", 2},
    {"U+07FF", "\xdf\xbf", 2},
    {"U+0800", "\xe0\xa0\x80", 3},
    {"U+D7FF", "\xed\x9f\xbf", 3},
    {"U+E000", "\xee\x80\x80", 3},
    {"U+FFFF", "\xef\xbf\xbf", 3},
    {"U+10000", "\xf0\x90\x80\x80", 4},
    {"U+10FFFF", "\xf4\x8f\xbf\xbf", 4},
    {"what follows is not looked at", "\xc2\x80\xff", 2},
    {"a continuation alone", "\x80", 0},
    {"overlong, 2 bytes", "\xc1\xbf", 0},
    {"overlong, 3 bytes", "\xe0\x9f\xbf", 0},
    {"overlong, 4 bytes", "\xf0\x8f\xbf\xbf", 0},
    {"the first surrogate", "\xed\xa0\x80", 0},
    {"the last surrogate", "\xed\xbf\xbf", 0},
    {"beyond U+10FFFF", "\xf4\x90\x80\x80", 0},
    {"5 bytes", "\xf8\x88\x80\x80\x80", 0},
    {"cut off after 1 of 2", "\xc2", 0},
    {"cut off after 2 of 3", "\xe2\x82", 0},
    {"cut off after 3 of 4", "\xf0\x9f\x98", 0},
    {"0xff", "\xff", 0},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unit_equal(rows[i].name, (long long)utf8_length(rows[i].text), (long long)rows[i].length);
    }
    return unit_end();
}
