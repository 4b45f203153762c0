/* SPDX-License-Identifier: MIT */
/* Puts the document of a shutdown in the place of the one before, whole at every instant. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/checkpoint.h"

#include <bsd/string.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/document.h"
#include "engine/file.h"
#include "engine/shim.h"

#define FILE_MOST       33554432 /* HOOKS_CONFIG_MOST states of HOOK_STATE_MOST bytes, and the rest */
#define GENERATION_MOST 9007199254740991.0 /* 2^53 - 1: exact in any JSON reader */
#define NAME_SIZE       (NAME_MAX + 1)

static char path[PATH_MAX]; /* set by checkpoint_prepare; "" is none */

/* ---- the one before ---- */

static double generation_of(const cJSON *root)
{
    const cJSON *generation = cJSON_GetObjectItemCaseSensitive(root, "generation");

    return cJSON_IsNumber(generation) ? generation->valuedouble : 0;
}

static bool is_checkpoint(const cJSON *root)
{
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(root, "schema");
    double generation = generation_of(root);

    return cJSON_IsString(schema) && strcmp(schema->valuestring, DOCUMENT_SCHEMA) == 0 &&
           generation >= 1 && generation < GENERATION_MOST;
}

/* -ENOENT: there is none. -EBADMSG: what is there is no checkpoint. Else it can't be read. */
static int read_document(int folder, const char *name, cJSON **ret_root)
{
    char *text = NULL;
    int result = file_read(folder, name, O_NOFOLLOW, FILE_MOST, &text);
    cJSON *root = result == 0 ? cJSON_ParseWithOpts(text, NULL, 1) : NULL;

    free(text);
    if (result == -EINVAL || result == -EISDIR || result == -EFBIG ||
        (result == 0 && !is_checkpoint(root))) {
        cJSON_Delete(root);
        return -EBADMSG;
    }
    if (result == 0) {
        *ret_root = root;
    }
    return result;
}

static int read_generation(int folder, const char *name, uint64_t *ret_generation)
{
    cJSON *root = NULL;
    int result = read_document(folder, name, &root);

    if (result == 0) {
        *ret_generation = (uint64_t)generation_of(root);
    }
    cJSON_Delete(root);
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
    char *text = document_text(record, before + 1);
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

/* ---- reading ---- */

cJSON *checkpoint_read_hooks(void)
{
    int folder = path[0] != '\0' ? open_folder() : -1;
    char kept[PATH_MAX];
    cJSON *root = NULL, *hooks = NULL;

    if (folder < 0) {
        return NULL;
    }
    snprintf(kept, sizeof(kept), "%s.prev", name_in_folder());
    if (read_document(folder, name_in_folder(), &root) == -EBADMSG) {
        (void)read_document(folder, kept, &root);
    }
    close(folder);
    hooks = cJSON_DetachItemFromObjectCaseSensitive(root, "hooks");
    cJSON_Delete(root);
    return hooks;
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
