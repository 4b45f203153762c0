/* SPDX-License-Identifier: MIT */
/* What each target is answered with, shared by the servers and by the clients that check them. */
#ifndef SERVERS_CONTENT_H
#define SERVERS_CONTENT_H

/*
 * A target is a path with an optional query, as in "/pause?ms=100&parts=3". A body is a sequence
 * of parts, most have one:
 *
 *   /                  hello, world
 *   /slow?ms=N         slept N ms
 *   /pause?ms=N&parts=K  part 1 of K ... part K of K, a line each
 *   /big?bytes=N       N bytes in which byte i is content_big_byte(i)
 *
 * Other targets (/echo, /pid, /helper) have a body that only the server knows.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTENT_PART_MAX = 64 };

static inline bool content_path_is(const char *target, const char *path)
{
    size_t len = strlen(path);

    return strncmp(target, path, len) == 0 && (target[len] == '\0' || target[len] == '?');
}

/* The text behind `key=` in the query of a target, or NULL. */
static inline const char *content_value(const char *target, const char *key)
{
    size_t len = strlen(key);

    for (const char *at = strchr(target, '?'); at; at = strchr(at, '&')) {
        at++;
        if (strncmp(at, key, len) == 0 && at[len] == '=')
            return at + len + 1;
    }
    return NULL;
}

static inline long content_number(const char *target, const char *key, long fallback)
{
    const char *value = content_value(target, key);

    return value ? strtol(value, NULL, 10) : fallback;
}

static inline bool content_word_is(const char *target, const char *key, const char *word)
{
    const char *value = content_value(target, key);

    return value && strcspn(value, "&") == strlen(word) && strncmp(value, word, strlen(word)) == 0;
}

/* The number of parts, or 0 if the body of this target is not known here or is not made of text. */
static inline long content_parts(const char *target)
{
    if (content_path_is(target, "/pause"))
        return content_number(target, "parts", 2);
    return content_path_is(target, "/") || content_path_is(target, "/slow");
}

static inline size_t content_part(const char *target, long index, char text[CONTENT_PART_MAX])
{
    if (content_path_is(target, "/pause"))
        return (size_t)snprintf(text, CONTENT_PART_MAX, "part %ld of %ld\n", index + 1,
                                content_parts(target));
    if (content_path_is(target, "/slow"))
        return (size_t)snprintf(text, CONTENT_PART_MAX, "slept %ld ms\n",
                                content_number(target, "ms", 0));
    return (size_t)snprintf(text, CONTENT_PART_MAX, "hello, world\n");
}

/* Printable, and without a period that divides a block size: a lost block shows. */
static inline char content_big_byte(size_t offset)
{
    return (char)('!' + (offset + offset / 89) % 89);
}

#endif
