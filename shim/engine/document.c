/* SPDX-License-Identifier: MIT */
/* Turns the record of a shutdown into the text of its JSON document. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/document.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/shim.h"
#include "format/utf8.h"

#define NS_PER_S 1000000000

static bool lacks_memory; /* while a document is being built; coordinator thread only */

/* ---- text that may be anything ---- */

/* Allocated, with U+FFFD for each bad byte. */
static char *valid_utf8(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1), *to = copy;

    while (copy && *text) {
        size_t n = utf8_length(text);

        memcpy(to, n ? text : UTF8_REPLACEMENT, n ? n : 3);
        to += n ? n : 3;
        text += n ? n : 1;
    }
    if (copy) {
        *to = '\0';
    }
    return copy;
}

/* ---- members of the document ---- */

/* cJSON takes NULL for its parents, so one look at the end is enough. */
static cJSON *need(cJSON *item)
{
    lacks_memory |= item == NULL;
    return item;
}

static void add_null(cJSON *object, const char *name)
{
    need(cJSON_AddNullToObject(object, name));
}

static void add_bool(cJSON *object, const char *name, bool value)
{
    need(cJSON_AddBoolToObject(object, name, value));
}

static void add_text(cJSON *object, const char *name, const char *text)
{
    char *valid = text ? valid_utf8(text) : NULL;

    if (text) {
        need(valid ? cJSON_AddStringToObject(object, name, valid) : NULL);
    } else {
        add_null(object, name);
    }
    free(valid);
}

/* Numbers are written as digits: exact above 2^53, and the same in every locale. */
static void add_number(cJSON *object, const char *name, int64_t value)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    need(cJSON_AddRawToObject(object, name, digits));
}

static void add_count(cJSON *object, const char *name, uint64_t value)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    need(cJSON_AddRawToObject(object, name, digits));
}

static void format_ms(int64_t ns, char *digits, size_t size)
{
    uint64_t us = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / 1000;

    snprintf(digits, size, "%s%" PRIu64 ".%03u", ns <= -1000 ? "-" : "", us / 1000,
             (unsigned)(us % 1000));
}

static void add_ms(cJSON *object, const char *name, int64_t ns)
{
    char digits[32];

    format_ms(ns, digits, sizeof(digits));
    need(cJSON_AddRawToObject(object, name, digits));
}

/* The array's from now on, or NULL. */
static cJSON *append_item(cJSON *array, cJSON *item)
{
    if (!cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        item = NULL;
    }
    return need(item);
}

static void append_ms(cJSON *array, int64_t ns)
{
    char digits[32];

    format_ms(ns, digits, sizeof(digits));
    (void)append_item(array, cJSON_CreateRaw(digits));
}

static void append_count(cJSON *array, uint64_t value)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%" PRIu64, value);
    (void)append_item(array, cJSON_CreateRaw(digits));
}

/* RFC 3339, UTC, milliseconds. "" if there is none. */
static void format_time(const struct timespec *time, char *text, size_t size)
{
    struct tm tm;
    char seconds[32];

    text[0] = '\0';
    if (time->tv_sec > 0 && gmtime_r(&time->tv_sec, &tm)) {
        strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(text, size, "%s.%03ldZ", seconds, time->tv_nsec / 1000000);
    }
}

static void add_time(cJSON *object, const char *name, const struct timespec *time)
{
    char text[64];

    format_time(time, text, sizeof(text));
    add_text(object, name, text[0] ? text : NULL);
}

static cJSON *append(cJSON *array)
{
    return append_item(array, cJSON_CreateObject());
}

static size_t at_most(size_t count, size_t most)
{
    return count < most ? count : most;
}

/* ---- the process ---- */

/* The first line of a small file without its end, or "". */
static void read_line(const char *file, char *line, size_t size)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, line, size - 1);

    if (fd >= 0) {
        close(fd);
    }
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* Field 22 of proc_pid_stat(5), in clock ticks since the machine started; 0 if unknown. */
int64_t document_start_ticks(pid_t pid)
{
    char file[32], line[1024];
    const char *at;

    snprintf(file, sizeof(file), "/proc/%d/stat", (int)pid);
    read_line(file, line, sizeof(line));
    at = strrchr(line, ')'); /* the end of field 2, which may hold anything else */
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoll(at, NULL, 10) : 0;
}

static void add_process_start(cJSON *process)
{
    struct timespec now = {0}, uptime = {0}, start = {0};
    int64_t ticks = document_start_ticks(getpid());
    int64_t age_ns, start_ns;

    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &uptime);
    age_ns = uptime.tv_sec * INT64_C(1000000000) + uptime.tv_nsec -
             ticks * (NS_PER_S / sysconf(_SC_CLK_TCK));
    if (ticks > 0) {
        start_ns = now.tv_sec * INT64_C(1000000000) + now.tv_nsec - age_ns;
        start = (struct timespec){.tv_sec = start_ns / NS_PER_S, .tv_nsec = start_ns % NS_PER_S};
    }
    add_time(process, "started_at", &start);
    add_number(process, "start_ticks", ticks);
}

static void add_process(cJSON *root)
{
    cJSON *process = need(cJSON_AddObjectToObject(root, "process"));
    char name[64], exe[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

    exe[n > 0 ? n : 0] = '\0';
    read_line("/proc/self/comm", name, sizeof(name));
    add_number(process, "pid", getpid());
    add_number(process, "ppid", getppid());
    add_number(process, "uid", getuid());
    add_number(process, "gid", getgid());
    add_text(process, "name", name[0] ? name : program_invocation_short_name);
    add_text(process, "exe", n > 0 ? exe : NULL);
    add_process_start(process);
}

/* ---- the shutdown ---- */

/* The kernel names a sender only for signals that a process sent: si_code <= 0 (sigaction(2)). */
static void add_signal(cJSON *root, const struct record *record)
{
    cJSON *signal, *sender;

    if (record->signo == 0) {
        add_null(root, "signal");
        return;
    }
    signal = need(cJSON_AddObjectToObject(root, "signal"));
    add_number(signal, "number", record->signo);
    add_text(signal, "name", sigabbrev_np(record->signo));
    add_number(signal, "code", record->si_code);
    if (record->si_code > 0) {
        add_null(signal, "sender");
        return;
    }
    sender = need(cJSON_AddObjectToObject(signal, "sender"));
    add_number(sender, "pid", record->sender_pid);
    add_number(sender, "uid", record->sender_uid);
}

static void add_phases(cJSON *root, const struct record *record)
{
    cJSON *rows = need(cJSON_AddArrayToObject(root, "phases"));

    for (size_t i = 0; i < at_most(record->phase_count, RECORD_PHASES); i++) {
        const struct record_phase *phase = &record->phases[i];
        cJSON *row = append(rows);

        add_text(row, "name", fsm_name(phase->state));
        add_ms(row, "start_ms", phase->began_ns - record->began_ns);
        if (phase->ended_ns != 0) {
            add_ms(row, "duration_ms", phase->ended_ns - phase->began_ns);
        } else {
            add_null(row, "duration_ms"); /* it isn't over: this is being written in it */
        }
    }
}

static void add_listeners(cJSON *root, const struct record *record)
{
    cJSON *rows = need(cJSON_AddArrayToObject(root, "listeners"));

    for (size_t i = 0; i < at_most(record->listener_count, RECORD_LISTENERS); i++) {
        const struct record_listener *listener = &record->listeners[i];
        cJSON *row = append(rows);

        add_text(row, "address", listener->address);
        add_text(row, "refusal", listener->refusal);
        add_count(row, "accepted", listener->accepted);
        add_count(row, "rescued", listener->rescued);
    }
}

static void add_traffic(cJSON *row, const struct record_connection *connection)
{
    add_ms(row, "age_at_least_ms", connection->age_ns);
    if (connection->quiet_ns >= 0) {
        add_ms(row, "quiet_ms", connection->quiet_ns);
    } else {
        add_null(row, "quiet_ms");
    }
    if (connection->has_bytes) {
        add_count(row, "bytes_received", connection->received);
        add_count(row, "bytes_sent", connection->sent);
    } else {
        add_null(row, "bytes_received");
        add_null(row, "bytes_sent");
    }
}

static void add_remaining(cJSON *connections, const struct record *record)
{
    cJSON *rows = need(cJSON_AddArrayToObject(connections, "remaining"));
    size_t count = at_most(record->remaining_count, RECORD_REMAINING);

    for (size_t i = 0; i < count; i++) {
        const struct record_connection *connection = &record->remaining[i];
        cJSON *row = append(rows);

        add_number(row, "fd", connection->fd);
        add_text(row, "peer", connection->peer);
        add_text(row, "state", connection->state);
        add_text(row, "why", connection->why);
        add_bool(row, "forced", connection->forced);
        add_traffic(row, connection);
    }
    add_count(connections, "remaining_omitted", record->remaining_count - count);
}

/* [ms since the shutdown began, connections left], in the order of time. */
static void add_curve(cJSON *connections, const struct curve *curve)
{
    cJSON *points = need(cJSON_AddArrayToObject(connections, "curve"));

    for (size_t i = 0; i < at_most(curve->count, CURVE_POINTS); i++) {
        cJSON *point = append_item(points, cJSON_CreateArray());

        append_ms(point, curve->points[i].at_ns);
        append_count(point, curve->points[i].left);
    }
}

static void add_connections(cJSON *root, const struct record *record)
{
    cJSON *connections = need(cJSON_AddObjectToObject(root, "connections"));

    add_count(connections, "open", record->connections.open);
    add_count(connections, "accepted", record->connections.accepted);
    add_count(connections, "at_signal", record->connections.at_signal);
    add_count(connections, "drained", record->connections.drained);
    add_count(connections, "nudged", record->connections.nudged);
    add_count(connections, "forced", record->connections.forced);
    add_count(connections, "rescued", record->connections.rescued);
    add_curve(connections, &record->curve);
    add_remaining(connections, record);
}

static void add_family(cJSON *root, const struct record *record)
{
    cJSON *rows = need(cJSON_AddArrayToObject(root, "members"));

    for (size_t i = 0; i < at_most(record->member_count, RECORD_MEMBERS); i++) {
        const struct record_member *member = &record->members[i];
        cJSON *row = append(rows);

        add_number(row, "pid", member->pid);
        add_text(row, "role", member->role);
        add_text(row, "status", member->status);
        add_count(row, "accepted", member->accepted);
        add_count(row, "at_signal", member->at_signal);
        add_count(row, "drained", member->drained);
        add_count(row, "nudged", member->nudged);
        add_count(row, "forced", member->forced);
    }
}

/* As it was given: it has been read as JSON already, and only its bytes may be wrong. */
static void add_state(cJSON *row, const char *state)
{
    char *valid = state ? valid_utf8(state) : NULL;

    if (state) {
        need(valid ? cJSON_AddRawToObject(row, "state", valid) : NULL);
    } else {
        add_null(row, "state");
    }
    free(valid);
}

static bool has_returned(const struct record_hook *hook)
{
    return hook->status && (strcmp(hook->status, "ok") == 0 || strcmp(hook->status, "failed") == 0);
}

static void add_hooks(cJSON *root, const struct record *record)
{
    cJSON *rows = need(cJSON_AddArrayToObject(root, "hooks"));

    for (size_t i = 0; i < at_most(record->hook_count, RECORD_HOOKS); i++) {
        const struct record_hook *hook = &record->hooks[i];
        cJSON *row = append(rows);

        add_text(row, "name", hook->name);
        add_text(row, "path", hook->path);
        add_number(row, "priority", hook->priority);
        add_text(row, "scope", hook->scope);
        add_text(row, "status", hook->status);
        if (has_returned(hook)) {
            add_number(row, "result", hook->result);
        } else {
            add_null(row, "result");
        }
        if (hook->began_ns != 0) {
            add_ms(row, "start_ms", hook->began_ns - record->began_ns);
        } else {
            add_null(row, "start_ms"); /* it was not called */
        }
        add_ms(row, "ms", hook->ns);
        add_text(row, "error", hook->error[0] ? hook->error : NULL);
        add_state(row, hook->state);
    }
}

static void add_times(cJSON *root, const struct record *record)
{
    add_time(root, "began_at", &record->started_at);
    if (record->began_ns != 0) {
        add_ms(root, "duration_ms", shim_now() - record->began_ns);
    } else {
        add_null(root, "duration_ms");
    }
    if (record->refused_ns != 0) {
        add_ms(root, "refused_ms", record->refused_ns - record->began_ns);
    } else {
        add_null(root, "refused_ms");
    }
}

static void add_files(cJSON *root, const struct record *record)
{
    cJSON *rows = need(cJSON_AddArrayToObject(root, "state_files"));

    for (size_t i = 0; i < at_most(record->file_count, RECORD_FILES); i++) {
        const struct record_file *file = &record->files[i];
        cJSON *row = append(rows);

        add_text(row, "path", file->path);
        add_text(row, "since_start", file->since_start);
        if (file->is_there) {
            add_number(row, "size", file->size);
            add_time(row, "mtime", &file->mtime);
        } else {
            add_null(row, "size");
            add_null(row, "mtime");
        }
        add_text(row, "sha256", file->sha256);
    }
}

static void add_lifetime(cJSON *root, const struct lifetime *lifetime)
{
    cJSON *object = need(cJSON_AddObjectToObject(root, "lifetime"));

    add_count(object, "starts", lifetime->starts);
    add_count(object, "stops", lifetime->stops);
    add_count(object, "accepted", lifetime->accepted);
    add_count(object, "drained", lifetime->drained);
    add_count(object, "forced", lifetime->forced);
    add_count(object, "seconds", lifetime->seconds);
}

static void add_members(cJSON *root, const struct record *record, uint64_t generation,
                        const struct lifetime *lifetime)
{
    struct timespec now = {0};
    bool is_exit = record->reason && strcmp(record->reason, "exit") == 0;

    clock_gettime(CLOCK_REALTIME, &now);
    add_text(root, "schema", DOCUMENT_SCHEMA);
    add_count(root, "generation", generation);
    add_time(root, "written_at", &now);
    add_text(root, "reason", record->reason);
    if (is_exit) {
        add_number(root, "exit_status", record->exit_status);
    } else {
        add_null(root, "exit_status");
    }
    add_process(root);
    add_signal(root, record);
    add_bool(root, "second_signal", record->second_signal);
    add_times(root, record);
    add_phases(root, record);
    add_listeners(root, record);
    add_connections(root, record);
    add_family(root, record);
    add_hooks(root, record);
    add_files(root, record);
    add_lifetime(root, lifetime);
}

/* Allocated by cJSON, or NULL without memory. */
char *document_text(const struct record *record, uint64_t generation,
                    const struct lifetime *lifetime)
{
    cJSON *root = cJSON_CreateObject();
    char *text;

    lacks_memory = false;
    add_members(root, record, generation, lifetime);
    text = lacks_memory ? NULL : cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}
