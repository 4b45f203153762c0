/* SPDX-License-Identifier: MIT */
/* Makes text that is safe to show. */
/* Context: a program of one thread. */
#include "lib/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "format/utf8.h"

#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

static char *next_buffer(void)
{
    static char buffers[TEXT_BUFFERS][TEXT_MOST];
    static size_t next;

    return buffers[next++ % TEXT_BUFFERS];
}

/* U+0080..9F; U+061C, 200E-200F, 2028-202E, 2066-2069: marks and overrides of direction, line ends. */
static bool is_harmful(const unsigned char *s, size_t n)
{
    if (n == 1) {
        return s[0] < 0x20 || s[0] == 0x7f;
    }
    if (n == 2) {
        return (s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xd8 && s[1] == 0x9c);
    }
    return n == 3 && s[0] == 0xe2 &&
           ((s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
            (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

static uint32_t decode(const unsigned char *s, size_t n)
{
    uint32_t character = n > 1 ? s[0] & (0x7fu >> n) : s[0];

    for (size_t i = 1; i < n; i++) {
        character = character << 6 | (s[i] & 0x3fu);
    }
    return character;
}

size_t text_harmful(const char *at, uint32_t *ret_character)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t n = *s ? utf8_length((const char *)s) : 0;

    if (n == 0 || !is_harmful(s, n)) {
        return 0;
    }
    *ret_character = decode(s, n);
    return n;
}

const char *text_visible(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    char *buffer = next_buffer(), *to = buffer;

    while (*s && to + 20 < buffer + TEXT_MOST) { /* four bytes as \xHH, and the end */
        size_t n = utf8_length((const char *)s), bytes = n ? n : 1;

        if (*s == '\\') {
            *to++ = '\\';
            *to++ = '\\';
        } else if (n == 0 || is_harmful(s, n)) {
            for (size_t i = 0; i < bytes; i++) {
                to += snprintf(to, 5, "\\x%02x", s[i]);
            }
        } else {
            memcpy(to, s, n);
            to += n;
        }
        s += bytes;
    }
    *to = '\0';
    return buffer;
}

const char *text_valid(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    char *buffer = next_buffer(), *to = buffer;

    while (*s && to + 8 < buffer + TEXT_MOST) {
        size_t n = utf8_length((const char *)s);

        memcpy(to, n ? (const char *)s : UTF8_REPLACEMENT, n ? n : sizeof(UTF8_REPLACEMENT) - 1);
        to += n ? n : sizeof(UTF8_REPLACEMENT) - 1;
        s += n ? n : 1;
    }
    *to = '\0';
    return buffer;
}

/* Whole blocks: some of what is in them is narrow. */
static bool is_wide(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } blocks[] = {{0x1100, 0x115f},   {0x231a, 0x23ff},  {0x25fd, 0x27bf}, {0x2b1b, 0x2b55},
                  {0x2e80, 0xa4cf},   {0xa960, 0xa97f},  {0xac00, 0xd7a3}, {0xf900, 0xfaff},
                  {0xfe10, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x16fe0, 0x1b2ff},
                  {0x1f004, 0x1faff}, {0x20000, 0x3ffff}};

    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        if (character >= blocks[i].first && character <= blocks[i].last) {
            return true;
        }
    }
    return false;
}

/* The next character, or a byte that is none: its length, and its columns. */
static size_t step(const unsigned char *s, size_t *ret_columns)
{
    size_t n = utf8_length((const char *)s);

    *ret_columns = n > 1 && is_wide(decode(s, n)) ? 2 : 1;
    return n > 0 ? n : 1;
}

size_t text_columns(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t columns = 0, more;

    while (*s) {
        s += step(s, &more);
        columns += more;
    }
    return columns;
}

size_t text_fit(const char *text, size_t columns)
{
    const unsigned char *begin = (const unsigned char *)text, *s = begin;
    size_t used = 0, more;

    while (*s) {
        size_t n = step(s, &more);

        if (more > columns - used) {
            break;
        }
        used += more;
        s += n;
    }
    return (size_t)(s - begin);
}

const char *text_duration(int64_t ns)
{
    char *buffer = next_buffer();
    int64_t s = ns / NS_PER_S;

    if (ns < NS_PER_S) {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 " ms", ns / NS_PER_MS);
    } else if (s < 60) {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 ".%" PRId64 " s", s,
                       ns % NS_PER_S / (NS_PER_S / 10));
    } else if (s < 3600) {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
    } else {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 " d %" PRId64 " h", s / 86400,
                       s % 86400 / 3600);
    }
    return buffer;
}

const char *text_setting_duration(int64_t ns)
{
    char *buffer = next_buffer();

    if (ns % NS_PER_S == 0) {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 "s", ns / NS_PER_S);
    } else if (ns % NS_PER_MS == 0) {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 "ms", ns / NS_PER_MS);
    } else {
        (void)snprintf(buffer, TEXT_MOST, "%" PRId64 ".%09" PRId64 "s", ns / NS_PER_S,
                       ns % NS_PER_S);
    }
    return buffer;
}
