/* SPDX-License-Identifier: MIT */
/* Turns the record of a shutdown into JSON and puts it in the place of the one before. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/checkpoint.h"

#include <bsd/string.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/shim.h"

#define SCHEMA          "fluxshim/1"
#define FILE_MOST       16777216
#define GENERATION_MOST 9007199254740991.0 /* 2^53 - 1: exact in any JSON reader */
#define NS_PER_S        1000000000
#define NAME_SIZE       (NAME_MAX + 1)

static char path[PATH_MAX]; /* set by checkpoint_prepare; "" is none */
static bool lacks_memory;   /* while a document is being built; coordinator thread only */

/* ---- text that may be anything ---- */

static size_t claimed_length(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    return first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* Of the character at `s`, or 0 if it is none (RFC 3629: nothing overlong, no surrogates). */
static size_t utf8_length(const unsigned char *s)
{
    size_t n = claimed_length(s[0]);

    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) {
        return 0;
    }
    return n;
}

/* Allocated, with U+FFFD for each bad byte. */
static char *valid_utf8(const char *text)
{
    char *copy = malloc(3 * strlen(text) + 1), *to = copy;

    while (copy && *text) {
        size_t n = utf8_length((const unsigned char *)text);

        memcpy(to, n ? text : "\xef\xbf\xbd", n ? n : 3);
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

static void add_ms(cJSON *object, const char *name, int64_t ns)
{
    char digits[32];
    uint64_t us = (ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns) / 1000;

    snprintf(digits, sizeof(digits), "%s%" PRIu64 ".%03u", ns <= -1000 ? "-" : "", us / 1000,
             (unsigned)(us % 1000));
    need(cJSON_AddRawToObject(object, name, digits));
}

/* RFC 3339, UTC, milliseconds. */
static void add_time(cJSON *object, const char *name, const struct timespec *time)
{
    struct tm tm;
    char text[64], seconds[32];

    if (time->tv_sec <= 0 || !gmtime_r(&time->tv_sec, &tm)) {
        add_null(object, name);
        return;
    }
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof(text), "%s.%03ldZ", seconds, time->tv_nsec / 1000000);
    add_text(object, name, text);
}

static cJSON *append(cJSON *array)
{
    cJSON *item = cJSON_CreateObject();

    if (!cJSON_AddItemToArray(array, item)) {
        cJSON_Delete(item);
        item = NULL;
    }
    return need(item);
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
static int64_t start_ticks(void)
{
    char line[1024];
    const char *at;

    read_line("/proc/self/stat", line, sizeof(line));
    at = strrchr(line, ')'); /* the end of field 2, which may hold anything else */
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at + 1, ' ');
    }
    return at ? strtoll(at, NULL, 10) : 0;
}

static void add_process_start(cJSON *process)
{
    struct timespec now = {0}, uptime = {0}, start = {0};
    int64_t ticks = start_ticks();
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
    }
    add_count(connections, "remaining_omitted", record->remaining_count - count);
}

static void add_connections(cJSON *root, const struct record *record)
{
    cJSON *connections = need(cJSON_AddObjectToObject(root, "connections"));

    add_count(connections, "accepted", record->connections.accepted);
    add_count(connections, "at_signal", record->connections.at_signal);
    add_count(connections, "drained", record->connections.drained);
    add_count(connections, "nudged", record->connections.nudged);
    add_count(connections, "forced", record->connections.forced);
    add_count(connections, "rescued", record->connections.rescued);
    add_remaining(connections, record);
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

        add_text(row, "path", hook->path);
        add_text(row, "status", hook->status);
        if (has_returned(hook)) {
            add_number(row, "result", hook->result);
        } else {
            add_null(row, "result");
        }
        add_ms(row, "ms", hook->ns);
        add_text(row, "error", hook->error[0] ? hook->error : NULL);
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

static void add_members(cJSON *root, const struct record *record, uint64_t generation)
{
    struct timespec now = {0};
    bool is_exit = record->reason && strcmp(record->reason, "exit") == 0;

    clock_gettime(CLOCK_REALTIME, &now);
    add_text(root, "schema", SCHEMA);
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
    add_hooks(root, record);
}

/* Allocated by cJSON, or NULL without memory. */
static char *document(const struct record *record, uint64_t generation)
{
    cJSON *root = cJSON_CreateObject();
    char *text;

    lacks_memory = false;
    add_members(root, record, generation);
    text = lacks_memory ? NULL : cJSON_Print(root);
    cJSON_Delete(root);
    return text;
}

/* ---- the one before ---- */

/* A whole regular file with a NUL behind it, allocated. A FIFO is not waited for. */
static int read_bounded(int fd, char **ret_text)
{
    struct stat st;
    size_t n = 0;
    ssize_t got = 1;
    char *text;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode) || st.st_size > FILE_MOST) {
        return -EBADMSG;
    }
    text = malloc((size_t)st.st_size + 1);
    if (!text) {
        return -ENOMEM;
    }
    while (got > 0 && n < (size_t)st.st_size) {
        got = read(fd, text + n, (size_t)st.st_size - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        free(text);
        return -EIO;
    }
    text[n] = '\0';
    *ret_text = text;
    return 0;
}

static int parse_generation(const char *text, uint64_t *ret_generation)
{
    cJSON *root = cJSON_ParseWithOpts(text, NULL, 1);
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(root, "schema");
    const cJSON *generation = cJSON_GetObjectItemCaseSensitive(root, "generation");
    double value = cJSON_IsNumber(generation) ? generation->valuedouble : 0;
    int result = -EBADMSG;

    if (cJSON_IsString(schema) && strcmp(schema->valuestring, SCHEMA) == 0 && value >= 1 &&
        value < GENERATION_MOST) {
        *ret_generation = (uint64_t)value;
        result = 0;
    }
    cJSON_Delete(root);
    return result;
}

/* -ENOENT: there is none. -EBADMSG: what is there is no checkpoint. Else it can't be read. */
static int read_generation(int folder, const char *name, uint64_t *ret_generation)
{
    char *text = NULL;
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int result = fd < 0 ? -errno : read_bounded(fd, &text);

    if (fd >= 0) {
        close(fd);
    }
    if (result == 0) {
        result = parse_generation(text, ret_generation);
    }
    free(text);
    return result;
}

/* ---- the folder ---- */

static const char *name_in_folder(void)
{
    return strrchr(path, '/') + 1;
}

/* O_PATH where it may be written and not listed: then it can't be synced either. */
static int open_folder(void)
{
    char folder[PATH_MAX];
    int n = (int)(name_in_folder() - path);
    int fd;

    snprintf(folder, sizeof(folder), "%.*s", n, path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return fd < 0 ? -errno : fd;
}

/* What is in the way at this name: neither a file nor absent. NULL if nothing is. */
static const char *obstacle(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(st.st_mode)) {
        return NULL;
    }
    switch (st.st_mode & S_IFMT) {
    case S_IFLNK:
        return "a symbolic link";
    case S_IFDIR:
        return "a folder";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    default:
        return "a device";
    }
}

/* Told once, by whoever finds it: the number alone would mislead. */
static int check_place(int folder, const char *name)
{
    const char *in_the_way = obstacle(folder, name);

    if (!in_the_way) {
        return 0;
    }
    log_error("checkpoint %s: there is %s at that path, it is left alone", path, in_the_way);
    return -EEXIST;
}

/* Some file systems can't sync a folder (EINVAL), nor can O_PATH (EBADF): the rename must do. */
static int sync_folder(int folder)
{
    return fsync(folder) < 0 && errno != EINVAL && errno != EBADF ? -errno : 0;
}

/* ---- writing ---- */

/* O_EXCL makes sure of it: without randomness (early at boot) the pid must do. */
static void temporary_name(const char *name, char temporary[NAME_SIZE])
{
    unsigned long long random = 0;

    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    snprintf(temporary, NAME_SIZE, "%.200s.%d.%016llx.tmp", name, (int)getpid(), random);
}

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, text, size);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        text += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static int write_new(int folder, const char *temporary, const char *text)
{
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result;

    if (fd < 0) {
        return -errno;
    }
    result = write_all(fd, text, strlen(text));
    if (result == 0) {
        result = write_all(fd, "\n", 1);
    }
    if (result == 0 && fsync(fd) < 0) {
        result = -errno;
    }
    close(fd);
    return result;
}

/*
 * A second link to what is there, made beside it and moved over the one kept before: the path
 * itself is never without its file.
 */
static int keep_as(int folder, const char *name, const char *kept)
{
    char temporary[NAME_SIZE];
    int result = 0;

    if (obstacle(folder, kept)) {
        return -EEXIST;
    }
    temporary_name(name, temporary);
    if (linkat(folder, name, folder, temporary, 0) < 0) {
        return -errno;
    }
    if (renameat(folder, temporary, folder, kept) < 0) {
        result = -errno;
    }
    (void)unlinkat(folder, temporary, 0); /* rename(2) leaves it where both are one file */
    return result;
}

static void keep(int folder, const char *name, const char *suffix)
{
    char kept[PATH_MAX];
    int result;

    snprintf(kept, sizeof(kept), "%s%s", name, suffix);
    result = keep_as(folder, name, kept);
    if (result < 0) {
        log_warn("checkpoint %s: the one before cannot be kept as %s: %s", path, kept,
                 strerror(-result));
    }
}

static int replace(int folder, const char *name, const char *text, const char *suffix)
{
    char temporary[NAME_SIZE];
    int result;

    temporary_name(name, temporary);
    result = write_new(folder, temporary, text);
    if (result == 0 && suffix) {
        keep(folder, name, suffix);
    }
    if (result == 0 && renameat(folder, temporary, folder, name) < 0) {
        result = -errno;
    }
    if (result < 0) {
        (void)unlinkat(folder, temporary, 0);
        return result;
    }
    return sync_folder(folder);
}

static int write_in(int folder, const struct record *record)
{
    const char *name = name_in_folder(), *suffix;
    uint64_t before = 0;
    int found = read_generation(folder, name, &before);
    char *text = document(record, before + 1);
    int result;

    suffix = found == -ENOENT ? NULL : found == -EBADMSG ? ".corrupt" : ".prev";
    result = text ? replace(folder, name, text, suffix) : -ENOMEM;
    cJSON_free(text);
    return result;
}

int checkpoint_write(const struct record *record)
{
    int folder, result;

    if (path[0] == '\0') {
        return 0;
    }
    folder = open_folder();
    result = folder < 0 ? folder : check_place(folder, name_in_folder());
    if (result != -EEXIST) {
        result = result < 0 ? result : write_in(folder, record);
        if (result < 0) {
            log_error("checkpoint %s cannot be written: %s", path, strerror(-result));
        }
    }
    if (folder >= 0) {
        close(folder);
    }
    return result;
}

/* ---- preparing ---- */

static int make_absolute(const char *given, char absolute[PATH_MAX])
{
    char folder[PATH_MAX] = "";
    int n;

    if (given[0] != '/' && !getcwd(folder, sizeof(folder))) {
        return -errno;
    }
    n = snprintf(absolute, PATH_MAX, "%s%s%s", folder, given[0] == '/' ? "" : "/", given);
    if (n >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    return absolute[n - 1] == '/' ? -EISDIR : 0;
}

static int check_folder(const char **ret_reason)
{
    int folder = open_folder();
    int result = folder < 0 ? folder : 0;
    const char *in_the_way = NULL;

    if (result == 0 && faccessat(folder, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        result = -errno;
    }
    if (result == 0) {
        in_the_way = obstacle(folder, name_in_folder());
        result = in_the_way ? -EEXIST : 0;
    }
    if (folder >= 0) {
        close(folder);
    }
    *ret_reason = in_the_way ? in_the_way : strerror(-result);
    return result;
}

int checkpoint_prepare(const char *given)
{
    char absolute[PATH_MAX];
    const char *reason = "";
    int result;

    path[0] = '\0';
    if (!given || given[0] == '\0') {
        return 0;
    }
    result = make_absolute(given, absolute);
    if (result < 0) {
        log_warn("checkpoint %s: none will be written: %s", given, strerror(-result));
        return result;
    }
    strlcpy(path, absolute, sizeof(path));
    result = check_folder(&reason);
    if (result == -EEXIST) {
        log_warn("checkpoint %s: cannot be written, there is %s at that path", path, reason);
    } else if (result < 0) {
        log_warn("checkpoint %s: its folder cannot be written to as it is now: %s", path, reason);
    }
    return result;
}

const char *checkpoint_path(void)
{
    return path;
}
