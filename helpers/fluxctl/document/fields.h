/* SPDX-License-Identifier: MIT */
/* Members of a JSON object and of a struct, in one table: checked, read and written by it. */
/* Context: a program of one thread. */

/*
 * Whole numbers are int64_t, and stay within 2^53 - 1, which a double holds exactly: larger ones
 * become that. Milliseconds are doubles. What is null is FIELD_NONE, NAN or NULL. A fault is told
 * with its place in the document, "hooks[3].ms: is no number", and ends the reading.
 */
#ifndef FLUXCTL_DOCUMENT_FIELDS_H
#define FLUXCTL_DOCUMENT_FIELDS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_NONE INT64_MIN

enum field_kind {
    FIELD_TEXT,    /* const char * */
    FIELD_TIME,    /* const char *: RFC 3339 in UTC */
    FIELD_COUNT,   /* int64_t from 0 on */
    FIELD_INTEGER, /* int64_t */
    FIELD_MS,      /* double */
    FIELD_BOOL,    /* bool */
    FIELD_JSON     /* const cJSON *: anything */
};

enum field_need {
    FIELD_NEEDED,
    FIELD_NULLABLE,
    FIELD_NEWER /* nullable, and older documents don't have it */
};

struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    enum field_need need;
};

struct fields {
    const struct field *rows;
    size_t count;
    size_t size; /* of the struct */
};

struct fault {
    char where[128]; /* "hooks[3]", "" at the top */
    char text[256];  /* "" if there is none */
};

/* False, and fault->text: the object or one of its members isn't what it should be. */
bool fields_read(const struct fields *fields, const cJSON *object, void *ret_row,
                 struct fault *fault);
void fields_write(const struct fields *fields, cJSON *object, const void *row);

/* An array of them; at most `most`. Rows are to be freed. A missing array is a fault. */
bool fields_read_rows(const struct fields *fields, const cJSON *array, size_t most, void **ret_rows,
                      size_t *ret_count, struct fault *fault);
void fields_write_rows(const struct fields *fields, cJSON *array, const void *rows, size_t count);

/* Says once what is wrong with a member, and is false. */
bool fault_set(struct fault *fault, const char *member, const char *text);

#endif
