/* SPDX-License-Identifier: MIT */
/* The tables of a checkpoint's members, and the order in which they are read and written. */
/* Context: a program of one thread. */
#include "document/document.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/json_bounds.h"

#define PHASES_MOST    16
#define LISTENERS_MOST 256
#define REMAINING_MOST 1000
#define CURVE_MOST     256
#define MEMBERS_MOST   1024
#define HOOKS_MOST     256
#define FILES_MOST     64
#define SIGNALS_MOST   64
#define NUMBER_MOST    1e15

/* Tables --------------------------------------------------------------------------------------- */

#define NAMED(type, name, member, kind, need)                                                      \
    {                                                                                              \
        name, FIELD_##kind, offsetof(struct type, member), FIELD_##need                            \
    }
#define ROW(type, member, kind, need) NAMED(type, #member, member, kind, need)
#define TABLE(type, rows)                                                                          \
    {                                                                                              \
        rows, sizeof(rows) / sizeof((rows)[0]), sizeof(struct type)                                \
    }

static const struct field head_rows[] = {
    ROW(document, generation, COUNT, NEEDED),   ROW(document, written_at, TIME, NEEDED),
    ROW(document, reason, TEXT, NEEDED),        ROW(document, exit_status, INTEGER, NULLABLE),
    ROW(document, second_signal, BOOL, NEEDED), ROW(document, began_at, TIME, NULLABLE),
    ROW(document, duration_ms, MS, NULLABLE),   ROW(document, refused_ms, MS, NULLABLE),
};
static const struct fields head = TABLE(document, head_rows);

static const struct field process_rows[] = {
    ROW(document_process, pid, COUNT, NEEDED),
    ROW(document_process, ppid, COUNT, NEEDED),
    ROW(document_process, uid, COUNT, NEEDED),
    ROW(document_process, gid, COUNT, NEEDED),
    ROW(document_process, name, TEXT, NEEDED),
    ROW(document_process, exe, TEXT, NULLABLE),
    ROW(document_process, started_at, TIME, NULLABLE),
    ROW(document_process, start_ticks, COUNT, NEEDED),
};
static const struct fields process = TABLE(document_process, process_rows);

static const struct field signal_rows[] = {
    ROW(document_signal, number, COUNT, NEEDED),
    ROW(document_signal, name, TEXT, NULLABLE),
    ROW(document_signal, code, INTEGER, NEEDED),
};
static const struct fields signal_fields = TABLE(document_signal, signal_rows);

static const struct field sender_rows[] = {
    ROW(document_sender, pid, COUNT, NEEDED),
    ROW(document_sender, uid, COUNT, NEEDED),
};
static const struct fields sender = TABLE(document_sender, sender_rows);

static const struct field phase_rows[] = {
    ROW(document_phase, name, TEXT, NEEDED),
    ROW(document_phase, start_ms, MS, NEEDED),
    ROW(document_phase, duration_ms, MS, NULLABLE),
};
static const struct fields phases = TABLE(document_phase, phase_rows);

static const struct field listener_rows[] = {
    ROW(document_listener, address, TEXT, NEEDED),
    ROW(document_listener, refusal, TEXT, NEEDED),
    ROW(document_listener, accepted, COUNT, NEEDED),
    ROW(document_listener, rescued, COUNT, NEEDED),
};
static const struct fields listeners = TABLE(document_listener, listener_rows);

static const struct field connections_rows[] = {
    ROW(document_connections, open, COUNT, NEEDED),
    ROW(document_connections, accepted, COUNT, NEEDED),
    ROW(document_connections, at_signal, COUNT, NEEDED),
    ROW(document_connections, drained, COUNT, NEEDED),
    ROW(document_connections, nudged, COUNT, NEEDED),
    ROW(document_connections, forced, COUNT, NEEDED),
    ROW(document_connections, rescued, COUNT, NEEDED),
    NAMED(document_connections, "remaining_omitted", omitted, COUNT, NEEDED),
};
static const struct fields connections = TABLE(document_connections, connections_rows);

static const struct field connection_rows[] = {
    ROW(document_connection, fd, COUNT, NEEDED),
    ROW(document_connection, peer, TEXT, NEEDED),
    ROW(document_connection, state, TEXT, NEEDED),
    ROW(document_connection, why, TEXT, NEEDED),
    ROW(document_connection, forced, BOOL, NEEDED),
    NAMED(document_connection, "age_at_least_ms", age_ms, MS, NEEDED),
    ROW(document_connection, quiet_ms, MS, NULLABLE),
    NAMED(document_connection, "bytes_received", received, COUNT, NULLABLE),
    NAMED(document_connection, "bytes_sent", sent, COUNT, NULLABLE),
};
static const struct fields remaining = TABLE(document_connection, connection_rows);

static const struct field member_rows[] = {
    ROW(document_member, pid, COUNT, NEEDED),       ROW(document_member, role, TEXT, NEEDED),
    ROW(document_member, status, TEXT, NEEDED),     ROW(document_member, accepted, COUNT, NEEDED),
    ROW(document_member, at_signal, COUNT, NEEDED), ROW(document_member, drained, COUNT, NEEDED),
    ROW(document_member, nudged, COUNT, NEEDED),    ROW(document_member, forced, COUNT, NEEDED),
};
static const struct fields members = TABLE(document_member, member_rows);

static const struct field hook_rows[] = {
    ROW(document_hook, name, TEXT, NEEDED),        ROW(document_hook, path, TEXT, NEEDED),
    ROW(document_hook, priority, INTEGER, NEEDED), ROW(document_hook, scope, TEXT, NEEDED),
    ROW(document_hook, status, TEXT, NEEDED),      ROW(document_hook, result, INTEGER, NULLABLE),
    ROW(document_hook, start_ms, MS, NEWER),       ROW(document_hook, ms, MS, NEEDED),
    ROW(document_hook, error, TEXT, NULLABLE),     ROW(document_hook, state, JSON, NULLABLE),
};
static const struct fields hooks = TABLE(document_hook, hook_rows);

static const struct field file_rows[] = {
    ROW(document_file, path, TEXT, NEEDED),     ROW(document_file, since_start, TEXT, NEEDED),
    ROW(document_file, size, COUNT, NULLABLE),  ROW(document_file, mtime, TIME, NULLABLE),
    ROW(document_file, sha256, TEXT, NULLABLE),
};
static const struct fields files = TABLE(document_file, file_rows);

static const struct field lifetime_rows[] = {
    ROW(document_lifetime, starts, COUNT, NEEDED),   ROW(document_lifetime, stops, COUNT, NEEDED),
    ROW(document_lifetime, accepted, COUNT, NEEDED), ROW(document_lifetime, drained, COUNT, NEEDED),
    ROW(document_lifetime, forced, COUNT, NEEDED),   ROW(document_lifetime, seconds, COUNT, NEEDED),
};
static const struct fields lifetime = TABLE(document_lifetime, lifetime_rows);

/* Reading -------------------------------------------------------------------------------------- */

static const cJSON *enter(const cJSON *object, const char *name, const char *where,
                          struct fault *fault)
{
    (void)snprintf(fault->where, sizeof(fault->where), "%s", where);
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static bool read_object(const struct fields *fields, const cJSON *root, const char *name, void *row,
                        struct fault *fault)
{
    return fields_read(fields, enter(root, name, name, fault), row, fault);
}

#define READ_ROWS(fields, object, name, where, most, rows, count)                                  \
    fields_read_rows(fields, enter(object, name, where, fault), most, (void **)(rows), count, fault)

static bool read_signal(const cJSON *root, struct document_signal *signal, struct fault *fault)
{
    const cJSON *object = enter(root, "signal", "signal", fault), *from;

    signal->sender.pid = FIELD_NONE;
    if (cJSON_IsNull(object)) {
        return true;
    }
    if (!fields_read(&signal_fields, object, signal, fault)) {
        return false;
    }
    if (signal->number < 1 || signal->number > SIGNALS_MOST) {
        return fault_set(fault, "number", "is no signal's");
    }
    from = enter(object, "sender", "signal.sender", fault);
    return cJSON_IsNull(from) || fields_read(&sender, from, &signal->sender, fault);
}

static const char *read_point(const cJSON *pair, struct document_point *point, double after_ms)
{
    const cJSON *at = cJSON_GetArrayItem(pair, 0), *left = cJSON_GetArrayItem(pair, 1);

    if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2 || !cJSON_IsNumber(at) ||
        !cJSON_IsNumber(left) || !(left->valuedouble >= 0) || !(left->valuedouble <= NUMBER_MOST) ||
        !(fabs(at->valuedouble) <= NUMBER_MOST)) {
        return "is no point";
    }
    *point = (struct document_point){at->valuedouble, (int64_t)left->valuedouble};
    return point->at_ms >= after_ms ? NULL : "is before the one that it follows";
}

static bool read_points(const cJSON *array, struct document_connections *row, struct fault *fault)
{
    const cJSON *pair;
    double after = -INFINITY;

    cJSON_ArrayForEach(pair, array)
    {
        struct document_point *point = &row->curve[row->curve_count];
        const char *text = read_point(pair, point, after);

        if (text) {
            char name[32];

            (void)snprintf(name, sizeof(name), "curve[%zu]", row->curve_count);
            return fault_set(fault, name, text);
        }
        after = point->at_ms;
        row->curve_count++;
    }
    return true;
}

static bool read_curve(const cJSON *object, struct document_connections *row, struct fault *fault)
{
    const cJSON *array = enter(object, "curve", "connections", fault);

    if (array && !cJSON_IsArray(array)) {
        return fault_set(fault, "curve", "is no array");
    }
    if (cJSON_GetArraySize(array) > CURVE_MOST) {
        return fault_set(fault, "curve", "has more points than there can be");
    }
    row->curve = calloc(CURVE_MOST, sizeof(*row->curve));
    return row->curve ? read_points(array, row, fault) : fault_set(fault, "curve", "no memory");
}

static bool read_connections(const cJSON *root, struct document_connections *row,
                             struct fault *fault)
{
    const cJSON *object = enter(root, "connections", "connections", fault);

    return fields_read(&connections, object, row, fault) && read_curve(object, row, fault) &&
           READ_ROWS(&remaining, object, "remaining", "connections.remaining", REMAINING_MOST,
                     &row->remaining, &row->remaining_count);
}

static bool read_arrays(struct document *to, struct fault *fault)
{
    const cJSON *root = to->root;

    return READ_ROWS(&phases, root, "phases", "phases", PHASES_MOST, &to->phases,
                     &to->phase_count) &&
           READ_ROWS(&listeners, root, "listeners", "listeners", LISTENERS_MOST, &to->listeners,
                     &to->listener_count) &&
           READ_ROWS(&members, root, "members", "members", MEMBERS_MOST, &to->members,
                     &to->member_count) &&
           READ_ROWS(&hooks, root, "hooks", "hooks", HOOKS_MOST, &to->hooks, &to->hook_count) &&
           READ_ROWS(&files, root, "state_files", "state_files", FILES_MOST, &to->files,
                     &to->file_count);
}

/* First: what another schema has is not to be called wrong. */
static bool read_schema(const cJSON *root, struct fault *fault)
{
    const char *schema = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "schema"));

    if (!schema) {
        return fault_set(fault, "schema", "is missing, so this is no checkpoint");
    }
    return strcmp(schema, DOCUMENT_SCHEMA) == 0 ||
           fault_set(fault, "schema",
                     "is not \"" DOCUMENT_SCHEMA "\", which is all that this "
                     "fluxctl knows");
}

static bool read_all(struct document *to, struct fault *fault)
{
    return read_schema(to->root, fault) && fields_read(&head, to->root, to, fault) &&
           read_object(&process, to->root, "process", &to->process, fault) &&
           read_signal(to->root, &to->signal, fault) &&
           read_connections(to->root, &to->connections, fault) && read_arrays(to, fault) &&
           read_object(&lifetime, to->root, "lifetime", &to->lifetime, fault);
}

int document_parse(const char *text, size_t size, struct document *ret_document,
                   struct fault *fault)
{
    struct document *to = ret_document;

    *to = (struct document){0};
    *fault = (struct fault){0};
    if (size > DOCUMENT_SIZE_MOST || strlen(text) != size ||
        !json_is_bounded(text, DOCUMENT_DEPTH_MOST, DOCUMENT_ITEMS_MOST)) {
        (void)snprintf(fault->text, sizeof(fault->text), "%s",
                       "it is too large, too deeply nested, or not text");
        return -EBADMSG;
    }
    to->root = cJSON_ParseWithOpts(text, NULL, 1);
    if (!cJSON_IsObject(to->root)) {
        (void)snprintf(fault->text, sizeof(fault->text), "%s",
                       to->root ? "it is no JSON object" : "it is no JSON, or cut off");
        return -EBADMSG;
    }
    return read_all(to, fault) ? 0 : -EBADMSG;
}

void document_free(struct document *document)
{
    free(document->phases);
    free(document->listeners);
    free(document->connections.curve);
    free(document->connections.remaining);
    free(document->members);
    free(document->hooks);
    free(document->files);
    cJSON_Delete(document->root);
    *document = (struct document){0};
}

/* Writing -------------------------------------------------------------------------------------- */

static void write_signal(cJSON *root, const struct document_signal *signal)
{
    if (signal->number == 0) {
        (void)cJSON_AddNullToObject(root, "signal");
        return;
    }
    cJSON *object = cJSON_AddObjectToObject(root, "signal");

    fields_write(&signal_fields, object, signal);
    if (signal->sender.pid == FIELD_NONE) {
        (void)cJSON_AddNullToObject(object, "sender");
    } else {
        fields_write(&sender, cJSON_AddObjectToObject(object, "sender"), &signal->sender);
    }
}

static void write_curve(cJSON *object, const struct document_connections *row)
{
    cJSON *array = cJSON_AddArrayToObject(object, "curve");

    for (size_t i = 0; i < row->curve_count; i++) {
        char digits[96];

        (void)snprintf(digits, sizeof(digits), "[%.3f, %lld]", row->curve[i].at_ms,
                       (long long)row->curve[i].left);
        (void)cJSON_AddItemToArray(array, cJSON_CreateRaw(digits));
    }
}

static void write_connections(cJSON *root, const struct document_connections *row)
{
    cJSON *object = cJSON_AddObjectToObject(root, "connections");

    fields_write(&connections, object, row);
    write_curve(object, row);
    fields_write_rows(&remaining, cJSON_AddArrayToObject(object, "remaining"), row->remaining,
                      row->remaining_count);
}

cJSON *document_json(const struct document *from)
{
    cJSON *root = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(root, "schema", DOCUMENT_SCHEMA);
    fields_write(&head, root, from);
    fields_write(&process, cJSON_AddObjectToObject(root, "process"), &from->process);
    write_signal(root, &from->signal);
    fields_write_rows(&phases, cJSON_AddArrayToObject(root, "phases"), from->phases,
                      from->phase_count);
    fields_write_rows(&listeners, cJSON_AddArrayToObject(root, "listeners"), from->listeners,
                      from->listener_count);
    write_connections(root, &from->connections);
    fields_write_rows(&members, cJSON_AddArrayToObject(root, "members"), from->members,
                      from->member_count);
    fields_write_rows(&hooks, cJSON_AddArrayToObject(root, "hooks"), from->hooks, from->hook_count);
    fields_write_rows(&files, cJSON_AddArrayToObject(root, "state_files"), from->files,
                      from->file_count);
    fields_write(&lifetime, cJSON_AddObjectToObject(root, "lifetime"), &from->lifetime);
    return root;
}
