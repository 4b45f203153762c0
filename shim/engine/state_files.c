/* SPDX-License-Identifier: MIT */
/* Looks at the server's files, and compares them with what the last checkpoint says. */
/* Context: arming and coordinator thread; may allocate and block, for STATE_FILES_NS at most. */
#include "engine/state_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/apart.h"
#include "engine/shim.h"

struct file {
    char *path; /* absolute */
    const char *since_start;
    struct stat st;  /* st_mode 0: it isn't there */
    char sha256[65]; /* of that state; "" if there is none */
    int fault;       /* why it has none, an error number */
    bool told;       /* that it has none */
};

static struct file *files;
static size_t file_count;
static int64_t deadline_ns; /* of the checksums */

/* ---- looking ---- */

static void add_chunks(struct file *file, int fd, SHA2_CTX *context)
{
    static uint8_t chunk[16384];
    int64_t size = 0;
    ssize_t n;

    while ((n = read(fd, chunk, sizeof(chunk))) > 0 && file->fault == 0) {
        size += n;
        SHA256Update(context, chunk, (size_t)n);
        file->fault = size > STATE_FILES_LARGEST ? EFBIG : shim_now() > deadline_ns ? ETIME : 0;
    }
    file->fault = n < 0 ? errno : file->fault;
}

/* Apart, for the sake of the locks that the server has on it. */
static void add_checksum(void *argument)
{
    struct file *file = argument;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA2_CTX context;

    file->fault = fd < 0 ? errno : 0;
    if (fd < 0) {
        return;
    }
    SHA256Init(&context);
    add_chunks(file, fd, &context);
    SHA256Final(digest, &context);
    for (size_t i = 0; i < sizeof(digest) && file->fault == 0; i++) {
        static const char digits[] = "0123456789abcdef";

        file->sha256[2 * i] = digits[digest[i] >> 4];
        file->sha256[2 * i + 1] = digits[digest[i] & 15];
    }
    close(fd);
}

static bool is_as_before(const struct stat *a, const struct stat *b)
{
    return a->st_mode == b->st_mode && a->st_ino == b->st_ino && a->st_dev == b->st_dev &&
           a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void tell_fault(struct file *file)
{
    if (file->fault != 0 && !file->told) {
        file->told = true;
        log_warn("state file %s: no checksum: %s", file->path,
                 file->fault == EFBIG   ? "it is larger than 64 MiB"
                 : file->fault == ETIME ? "there was no time left for it"
                                        : strerror(file->fault));
    }
}

static void look_at(struct file *file)
{
    struct stat st = {0};

    if (stat(file->path, &st) < 0) {
        st = (struct stat){0};
    }
    if (is_as_before(&st, &file->st) && (file->sha256[0] || !S_ISREG(st.st_mode))) {
        return;
    }
    file->st = st;
    memset(file->sha256, 0, sizeof(file->sha256));
    file->fault = 0;
    if (!S_ISREG(st.st_mode)) {
        file->fault = st.st_mode == 0 ? 0 : EINVAL;
    } else if (st.st_size > STATE_FILES_LARGEST) {
        file->fault = EFBIG;
    } else {
        int error = apart_run(add_checksum, file);

        file->fault = error < 0 ? -error : file->fault;
    }
    tell_fault(file);
}

static void look_at_all(void)
{
    deadline_ns = shim_now() + STATE_FILES_NS;
    for (size_t i = 0; i < file_count; i++) {
        look_at(&files[i]);
    }
}

/* ---- the start ---- */

static const cJSON *row_of(const cJSON *rows, const char *path)
{
    const cJSON *row;

    cJSON_ArrayForEach(row, rows)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "path"));

        if (name && strcmp(name, path) == 0) {
            return row;
        }
    }
    return NULL;
}

/* A time alone says nothing: the checksum does, or else the size. */
static bool is_same(const struct file *file, const cJSON *row)
{
    const char *sha256 = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "sha256"));
    const cJSON *size = cJSON_GetObjectItemCaseSensitive(row, "size");

    if (!cJSON_IsNumber(size) || size->valuedouble != (double)file->st.st_size) {
        return false;
    }
    return !sha256 || !file->sha256[0] || strcmp(sha256, file->sha256) == 0;
}

static void compare(struct file *file, const cJSON *row)
{
    bool was_there = cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(row, "size"));

    if (!was_there) {
        file->since_start = row && file->st.st_mode == 0 ? "same" : "new";
    } else if (file->st.st_mode == 0) {
        file->since_start = "lost";
        log_warn("state file %s: lost since the last checkpoint", file->path);
    } else if (!is_same(file, row)) {
        file->since_start = "changed";
        log_warn("state file %s: changed since the last checkpoint", file->path);
    } else {
        file->since_start = "same";
    }
}

static char *absolute(const char *path, size_t length)
{
    char folder[PATH_MAX] = "", *result;

    if (path[0] != '/' && !getcwd(folder, sizeof(folder))) {
        return NULL;
    }
    return asprintf(&result, "%s%s%.*s", folder, path[0] == '/' ? "" : "/", (int)length, path) < 0
               ? NULL
               : result;
}

static void add(const char *path, size_t length)
{
    struct file *more = length > 0 && file_count < RECORD_FILES
                            ? realloc(files, (file_count + 1) * sizeof(*files))
                            : NULL;

    files = more ? more : files;
    if (more) {
        files[file_count] = (struct file){.path = absolute(path, length)};
        file_count += files[file_count].path != NULL;
    } else if (length > 0) {
        log_warn("state file %.*s: not recorded, %d are the most", (int)length, path, RECORD_FILES);
    }
}

void state_files_prepare(const char *list, const cJSON *before)
{
    while (file_count > 0) {
        free(files[--file_count].path);
    }
    while (*list) {
        size_t length = strcspn(list, ":");

        add(list, length);
        list += length + (list[length] == ':');
    }
    look_at_all();
    for (size_t i = 0; i < file_count; i++) {
        compare(&files[i], row_of(before, files[i].path));
    }
}

void state_files_account(struct record *record)
{
    look_at_all();
    record->file_count = file_count;
    for (size_t i = 0; i < file_count; i++) {
        const struct file *file = &files[i];

        record->files[i] = (struct record_file){.path = file->path,
                                                .since_start = file->since_start,
                                                .is_there = file->st.st_mode != 0,
                                                .size = file->st.st_size,
                                                .mtime = file->st.st_mtim,
                                                .sha256 = file->sha256[0] ? file->sha256 : NULL};
    }
}
