/* SPDX-License-Identifier: MIT */
/* Pairs what belongs together, and notes what isn't the same. */
/* Context: a program of one thread. */
#include "document/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/output.h"

#define SAME_MS 1.0

#define COUNT_OF(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Rows of the answer --------------------------------------------------------------------------- */

static cJSON *row(cJSON *rows, const char *what, const char *name)
{
    cJSON *object = cJSON_CreateObject();

    json_add_text(object, "what", what);
    json_add_text(object, "name", name);
    (void)cJSON_AddItemToArray(rows, object);
    return object;
}

static bool is_same(const char *old, const char *new)
{
    return old && new ? strcmp(old, new) == 0 : old == new;
}

static void texts(cJSON *rows, const char *what, const char *name, const char *old, const char *new)
{
    if (!is_same(old, new)) {
        cJSON *object = row(rows, what, name);

        json_add_text(object, "old", old);
        json_add_text(object, "new", new);
    }
}

static void add_number(cJSON *object, const char *name, int64_t number)
{
    if (number == FIELD_NONE) {
        (void)cJSON_AddNullToObject(object, name);
    } else {
        json_add_integer(object, name, number);
    }
}

static void numbers(cJSON *rows, const char *what, const char *name, int64_t old, int64_t new)
{
    if (old != new) {
        cJSON *object = row(rows, what, name);

        add_number(object, "old", old);
        add_number(object, "new", new);
        if (old != FIELD_NONE && new != FIELD_NONE) {
            json_add_integer(object, "difference", new - old);
        }
    }
}

static void add_ms(cJSON *object, const char *name, double ms)
{
    char digits[64];

    (void)snprintf(digits, sizeof(digits), "%.3f", ms);
    (void)(isnan(ms) ? cJSON_AddNullToObject(object, name)
                     : cJSON_AddRawToObject(object, name, digits));
}

static void times(cJSON *rows, const char *what, const char *name, double old, double new)
{
    bool both = !isnan(old) && !isnan(new);

    if (both ? fabs(new - old) < SAME_MS : isnan(old) && isnan(new)) {
        return;
    }
    cJSON *object = row(rows, what, name);

    add_ms(object, "old_ms", old);
    add_ms(object, "new_ms", new);
    if (both) {
        add_ms(object, "difference_ms", new - old);
    }
}

/* The parts ------------------------------------------------------------------------------------ */

static void compare_head(cJSON *rows, const struct document *old, const struct document *new)
{
    texts(rows, "head", "name", old->process.name, new->process.name);
    texts(rows, "head", "exe", old->process.exe, new->process.exe);
    numbers(rows, "head", "uid", old->process.uid, new->process.uid);
    numbers(rows, "head", "gid", old->process.gid, new->process.gid);
    numbers(rows, "head", "generation", old->generation, new->generation);
    texts(rows, "head", "reason", old->reason, new->reason);
    numbers(rows, "head", "exit_status", old->exit_status, new->exit_status);
    texts(rows, "head", "signal", old->signal.name, new->signal.name);
    texts(rows, "head", "second_signal", old->second_signal ? "yes" : "no",
          new->second_signal ? "yes" : "no");
    times(rows, "head", "duration", old->duration_ms, new->duration_ms);
    times(rows, "head", "refused after", old->refused_ms, new->refused_ms);
}

/* Without one it lasted no time; one that still lasts is as long as nobody knows. */
static const struct document_phase *phase_of(const struct document *document, const char *name)
{
    for (size_t i = 0; i < document->phase_count; i++) {
        if (strcmp(document->phases[i].name, name) == 0) {
            return &document->phases[i];
        }
    }
    return NULL;
}

static void compare_phases(cJSON *rows, const struct document *old, const struct document *new)
{
    for (size_t i = 0; i < old->phase_count; i++) {
        const struct document_phase *now = phase_of(new, old->phases[i].name);

        if (!now) {
            texts(rows, "phase", old->phases[i].name, "there", NULL);
        } else {
            times(rows, "phase", now->name, old->phases[i].duration_ms, now->duration_ms);
        }
    }
    for (size_t i = 0; i < new->phase_count; i++) {
        if (!phase_of(old, new->phases[i].name)) {
            texts(rows, "phase", new->phases[i].name, NULL, "there");
        }
    }
}

struct counter {
    const char *name;
    size_t offset;
};

#define COUNTER(part, member)                                                                      \
    {                                                                                              \
#part "." #member, offsetof(struct document, part.member)                                  \
    }

static void compare_counters(cJSON *rows, const struct document *old, const struct document *new)
{
    static const struct counter counters[] = {
        COUNTER(connections, accepted), COUNTER(connections, at_signal),
        COUNTER(connections, rescued),  COUNTER(connections, drained),
        COUNTER(connections, nudged),   COUNTER(connections, forced),
        COUNTER(connections, open),     COUNTER(lifetime, starts),
        COUNTER(lifetime, stops),       COUNTER(lifetime, accepted),
        COUNTER(lifetime, drained),     COUNTER(lifetime, forced),
        COUNTER(lifetime, seconds),
    };

    for (size_t i = 0; i < COUNT_OF(counters); i++) {
        numbers(rows, "counter", counters[i].name,
                *(const int64_t *)((const char *)old + counters[i].offset),
                *(const int64_t *)((const char *)new + counters[i].offset));
    }
}

/* Rows that have a key. The n-th of a key belongs to the n-th of the same. */
static size_t place_among(const char *const *keys, size_t index)
{
    size_t place = 0;

    for (size_t i = 0; i < index; i++) {
        place += strcmp(keys[i], keys[index]) == 0;
    }
    return place;
}

static size_t find(const char *const *keys, size_t count, const char *key, size_t place)
{
    size_t i = 0;

    while (i < count && (strcmp(keys[i], key) != 0 || place-- > 0)) {
        i++;
    }
    return i;
}

/* Values of rows, by key: those that changed, went, and came. */
struct keyed {
    const char *keys[256];
    const char *values[256];
    size_t count;
};

static void add(struct keyed *keyed, const char *key, const char *value)
{
    if (keyed->count < COUNT_OF(keyed->keys)) {
        keyed->keys[keyed->count] = key;
        keyed->values[keyed->count++] = value;
    }
}

static void compare_keyed(cJSON *rows, const char *what, const struct keyed *old,
                          const struct keyed *new)
{
    for (size_t i = 0; i < old->count; i++) {
        size_t other = find(new->keys, new->count, old->keys[i], place_among(old->keys, i));

        texts(rows, what, old->keys[i], old->values[i],
              other < new->count ? new->values[other] : NULL);
    }
    for (size_t i = 0; i < new->count; i++) {
        if (find(old->keys, old->count, new->keys[i], place_among(new->keys, i)) == old->count) {
            texts(rows, what, new->keys[i], NULL, new->values[i]);
        }
    }
}

static struct keyed listeners_of(const struct document *document)
{
    struct keyed keyed = {.count = 0};

    for (size_t i = 0; i < document->listener_count; i++) {
        add(&keyed, document->listeners[i].address, document->listeners[i].refusal);
    }
    return keyed;
}

static struct keyed hooks_of(const struct document *document)
{
    struct keyed keyed = {.count = 0};

    for (size_t i = 0; i < document->hook_count; i++) {
        add(&keyed, document->hooks[i].name, document->hooks[i].status);
    }
    return keyed;
}

static const char *content_of(const struct document_file *file)
{
    return file->sha256 ? file->sha256 : file->mtime ? file->mtime : "not there";
}

static struct keyed files_of(const struct document *document)
{
    struct keyed keyed = {.count = 0};

    for (size_t i = 0; i < document->file_count; i++) {
        add(&keyed, document->files[i].path, content_of(&document->files[i]));
    }
    return keyed;
}

static void compare_rows(cJSON *rows, const struct document *old, const struct document *new,
                         const char *what, struct keyed (*of)(const struct document *))
{
    struct keyed before = of(old), after = of(new);

    compare_keyed(rows, what, &before, &after);
}

/* Process ids are others each time: only how many there are of each kind is compared. */
static int64_t members_with(const struct document *document, const char *status)
{
    int64_t count = 0;

    for (size_t i = 0; i < document->member_count; i++) {
        count += strcmp(document->members[i].status, status) == 0;
    }
    return count;
}

static void compare_members(cJSON *rows, const struct document *old, const struct document *new)
{
    static const char *const statuses[] = {"drained",  "forced",  "gone",
                                           "not told", "program", "passive"};

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        numbers(rows, "process", statuses[i], members_with(old, statuses[i]),
                members_with(new, statuses[i]));
    }
}

cJSON *compare(const struct document *old, const struct document *new)
{
    cJSON *rows = cJSON_CreateArray();

    compare_head(rows, old, new);
    compare_phases(rows, old, new);
    compare_counters(rows, old, new);
    compare_rows(rows, old, new, "listener", listeners_of);
    compare_members(rows, old, new);
    compare_rows(rows, old, new, "hook", hooks_of);
    compare_rows(rows, old, new, "state file", files_of);
    return rows;
}
