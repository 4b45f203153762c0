/* SPDX-License-Identifier: MIT */
/* Reads and writes structs by tables of their fields. */
/* Context: a program of one thread. */
#include "document/fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MOST 9007199254740991.0 /* 2^53 - 1 */
#define MS_MOST    1e15               /* 31,000 years: what is computed of them stays exact */

bool fault_set(struct fault *fault, const char *member, const char *text)
{
    if (fault->text[0] == '\0') {
        (void)snprintf(fault->text, sizeof(fault->text), "%s%s%s: %s", fault->where,
                       fault->where[0] && member[0] ? "." : "", member, text);
    }
    return false;
}

/* Reading -------------------------------------------------------------------------------------- */

static void *at(void *row, const struct field *field)
{
    return (char *)row + field->offset;
}

static void set_none(const struct field *field, void *to)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_TIME:
        *(const char **)to = NULL;
        break;
    case FIELD_COUNT:
    case FIELD_INTEGER:
        *(int64_t *)to = FIELD_NONE;
        break;
    case FIELD_MS:
        *(double *)to = NAN;
        break;
    case FIELD_BOOL:
        *(bool *)to = false;
        break;
    case FIELD_JSON:
        *(const cJSON **)to = NULL;
        break;
    }
}

/* "2026-11-26T08:41:00.000Z"; years may have more digits. */
static bool is_time(const char *text)
{
    static const char form[] = "-00-00T00:00:00.000Z";
    size_t year = strspn(text, "0123456789");
    const char *rest = text + year;

    if (year < 4 || year > 9 || strlen(rest) != sizeof(form) - 1) {
        return false;
    }
    for (size_t i = 0; form[i]; i++) {
        bool is_digit = rest[i] >= '0' && rest[i] <= '9';

        if (form[i] == '0' ? !is_digit : rest[i] != form[i]) {
            return false;
        }
    }
    return true;
}

static const char *read_text(const struct field *field, const cJSON *item, const char **to)
{
    const char *text = cJSON_GetStringValue(item);

    if (!text) {
        return "is no text";
    }
    if (field->kind == FIELD_TIME && !is_time(text)) {
        return "is no time";
    }
    *to = text;
    return NULL;
}

static const char *read_whole(const struct field *field, const cJSON *item, int64_t *to)
{
    double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;

    value = value > WHOLE_MOST ? WHOLE_MOST : value < -WHOLE_MOST ? -WHOLE_MOST : value;
    if (isnan(value) || value != (double)(int64_t)value) {
        return "is no whole number";
    }
    if (field->kind == FIELD_COUNT && value < 0) {
        return "is less than 0";
    }
    *to = (int64_t)value;
    return NULL;
}

static const char *read_ms(const cJSON *item, double *to)
{
    if (!cJSON_IsNumber(item)) {
        return "is no number";
    }
    if (!(fabs(item->valuedouble) <= MS_MOST)) {
        return "is out of range";
    }
    *to = item->valuedouble;
    return NULL;
}

static const char *read_value(const struct field *field, const cJSON *item, void *to)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_TIME:
        return read_text(field, item, to);
    case FIELD_COUNT:
    case FIELD_INTEGER:
        return read_whole(field, item, to);
    case FIELD_MS:
        return read_ms(item, to);
    case FIELD_BOOL:
        *(bool *)to = cJSON_IsTrue(item);
        return cJSON_IsBool(item) ? NULL : "is neither true nor false";
    case FIELD_JSON:
        *(const cJSON **)to = item;
        return NULL;
    }
    return NULL;
}

static const char *read_field(const struct field *field, const cJSON *object, void *row)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, field->name);

    set_none(field, at(row, field));
    if (!item) {
        return field->need == FIELD_NEWER ? NULL : "is missing";
    }
    if (cJSON_IsNull(item) && field->need != FIELD_NEEDED) {
        return NULL;
    }
    return read_value(field, item, at(row, field));
}

bool fields_read(const struct fields *fields, const cJSON *object, void *ret_row,
                 struct fault *fault)
{
    if (!cJSON_IsObject(object)) {
        return fault_set(fault, "", object ? "is no object" : "is missing");
    }
    for (size_t i = 0; i < fields->count; i++) {
        const char *text = read_field(&fields->rows[i], object, ret_row);

        if (text) {
            return fault_set(fault, fields->rows[i].name, text);
        }
    }
    return true;
}

static bool read_items(const struct fields *fields, const cJSON *array, char *rows,
                       struct fault *fault)
{
    char name[sizeof(fault->where)];
    size_t i = 0;
    const cJSON *item;

    (void)memcpy(name, fault->where, sizeof(name));
    cJSON_ArrayForEach(item, array)
    {
        (void)snprintf(fault->where, sizeof(fault->where), "%.100s[%zu]", name, i);
        if (!fields_read(fields, item, rows + i * fields->size, fault)) {
            return false;
        }
        i++;
    }
    (void)memcpy(fault->where, name, sizeof(name));
    return true;
}

bool fields_read_rows(const struct fields *fields, const cJSON *array, size_t most, void **ret_rows,
                      size_t *ret_count, struct fault *fault)
{
    size_t count = cJSON_IsArray(array) ? (size_t)cJSON_GetArraySize(array) : 0;

    if (!cJSON_IsArray(array)) {
        return fault_set(fault, "", array ? "is no array" : "is missing");
    }
    if (count > most) {
        return fault_set(fault, "", "has more rows than there can be");
    }
    *ret_rows = calloc(count + 1, fields->size);
    *ret_count = *ret_rows ? count : 0;
    return *ret_rows ? read_items(fields, array, *ret_rows, fault)
                     : fault_set(fault, "", "no memory");
}

/* Writing -------------------------------------------------------------------------------------- */

static void write_digits(cJSON *object, const char *name, const char *format, ...)
    __attribute__((__format__(__printf__, 3, 4)));

static void write_digits(cJSON *object, const char *name, const char *format, ...)
{
    char digits[64];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(digits, sizeof(digits), format, arguments);
    va_end(arguments);
    (void)cJSON_AddRawToObject(object, name, digits);
}

static void write_text(cJSON *object, const char *name, const char *text)
{
    (void)(text ? cJSON_AddStringToObject(object, name, text)
                : cJSON_AddNullToObject(object, name));
}

static void write_whole(cJSON *object, const char *name, int64_t value)
{
    if (value == FIELD_NONE) {
        (void)cJSON_AddNullToObject(object, name);
    } else {
        write_digits(object, name, "%" PRId64, value);
    }
}

static void write_ms(cJSON *object, const char *name, double ms)
{
    if (isnan(ms)) {
        (void)cJSON_AddNullToObject(object, name);
    } else {
        write_digits(object, name, "%.3f", ms);
    }
}

static void write_json(cJSON *object, const char *name, const cJSON *value)
{
    cJSON *copy = value ? cJSON_Duplicate(value, 1) : cJSON_CreateNull();

    if (!cJSON_AddItemToObject(object, name, copy)) {
        cJSON_Delete(copy);
    }
}

static void write_field(const struct field *field, cJSON *object, const void *from)
{
    switch (field->kind) {
    case FIELD_TEXT:
    case FIELD_TIME:
        write_text(object, field->name, *(const char *const *)from);
        break;
    case FIELD_COUNT:
    case FIELD_INTEGER:
        write_whole(object, field->name, *(const int64_t *)from);
        break;
    case FIELD_MS:
        write_ms(object, field->name, *(const double *)from);
        break;
    case FIELD_BOOL:
        (void)cJSON_AddBoolToObject(object, field->name, *(const bool *)from);
        break;
    case FIELD_JSON:
        write_json(object, field->name, *(const cJSON *const *)from);
        break;
    }
}

void fields_write(const struct fields *fields, cJSON *object, const void *row)
{
    for (size_t i = 0; i < fields->count; i++) {
        write_field(&fields->rows[i], object, (const char *)row + fields->rows[i].offset);
    }
}

void fields_write_rows(const struct fields *fields, cJSON *array, const void *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cJSON *object = cJSON_CreateObject();

        fields_write(fields, object, (const char *)rows + i * fields->size);
        if (!cJSON_AddItemToArray(array, object)) {
            cJSON_Delete(object);
        }
    }
}
