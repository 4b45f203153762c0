/* SPDX-License-Identifier: MIT */
/* The actions, each in a few system calls. */
/* Context: any thread; may block. */
#include "file/action.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const action_names[] = {
    [ACTION_FSYNC] = "fsync",   [ACTION_TRUNCATE] = "truncate", [ACTION_UNLINK] = "unlink",
    [ACTION_RENAME] = "rename", [ACTION_TOUCH] = "touch",       [ACTION_WRITE] = "write",
    [ACTION_WRITE + 1] = NULL,
};

const char *const action_keys[] = {
    [ACTION_FSYNC] = "do path when must_exist",
    [ACTION_TRUNCATE] = "do path when must_exist",
    [ACTION_UNLINK] = "do path when must_exist",
    [ACTION_RENAME] = "do path to when must_exist",
    [ACTION_TOUCH] = "do path mode when must_exist",
    [ACTION_WRITE] = "do path text mode when must_exist",
    [ACTION_WRITE + 1] = NULL,
};

bool action_needs_file(int what)
{
    return what == ACTION_FSYNC || what == ACTION_TRUNCATE || what == ACTION_RENAME;
}

/* close(2) tells of what was written before and failed late. */
static int close_with(int fd, int error)
{
    return close(fd) != 0 && !error ? errno : error;
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    int n = (int)(strrchr(path, '/') - path), fd, error;

    snprintf(folder, sizeof(folder), "%.*s", n > 0 ? n : 1, path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    error = fsync(fd) != 0 ? errno : 0;
    return close_with(fd, error);
}

/* What the path itself is, of these types (S_IFMT) only. */
static int look(const char *path, const mode_t *types, size_t count)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return errno;
    }
    for (size_t i = 0; i < count; i++) {
        if ((st.st_mode & S_IFMT) == types[i]) {
            return 0;
        }
    }
    return S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
}

#define LOOK(path, ...)                                                                            \
    look(path, (const mode_t[]){__VA_ARGS__}, sizeof((mode_t[]){__VA_ARGS__}) / sizeof(mode_t))

/* Opening a device could do anything: only what is a file or a folder is opened. */
static int sync_file(const char *path)
{
    int error = LOOK(path, S_IFREG, S_IFDIR), fd;

    if (error) {
        return error;
    }
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    error = fsync(fd) != 0 ? errno : 0;
    return close_with(fd, error);
}

static int truncate_descriptor(int fd)
{
    char name[40];
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : EINVAL;
    }
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    return truncate(name, 0) != 0 ? errno : 0;
}

static int truncate_file(const char *path)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? errno : close_with(fd, truncate_descriptor(fd));
}

static int unlink_file(const char *path)
{
    int error = LOOK(path, S_IFREG, S_IFSOCK, S_IFIFO, S_IFLNK);

    if (error) {
        return error;
    }
    return unlink(path) != 0 ? errno : 0;
}

static int rename_file(const char *path, const char *to)
{
    int error = LOOK(path, S_IFREG, S_IFSOCK, S_IFIFO, S_IFLNK);

    if (error) {
        return error;
    }
    return rename(path, to) != 0 ? errno : sync_folder_of(to);
}

static int touch_file(const struct action *action)
{
    int fd;

    if (utimensat(AT_FDCWD, action->path, NULL, AT_SYMLINK_NOFOLLOW) == 0) {
        return 0;
    }
    if (errno != ENOENT || action->must_exist) {
        return errno;
    }
    fd = open(action->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    return close_with(fd, fchmod(fd, action->mode) != 0 ? errno : 0);
}

static int fill(int fd, const struct action *action)
{
    const char *rest = action->text;

    while (*rest) {
        ssize_t n = write(fd, rest, strlen(rest));

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        rest += n > 0 ? n : 0;
    }
    return fchmod(fd, action->mode) != 0 || fsync(fd) != 0 ? errno : 0;
}

/* Whoever reads the path sees the old file or the whole new one. */
static int write_file(const struct action *action)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof(temporary), "%s.XXXXXX", action->path), fd, error;

    if (n < 0 || (size_t)n >= sizeof(temporary)) {
        return ENAMETOOLONG;
    }
    error = action->must_exist ? LOOK(action->path, S_IFREG) : 0;
    if (error) {
        return error;
    }
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    error = close_with(fd, fill(fd, action));
    if (!error && rename(temporary, action->path) == 0) {
        return sync_folder_of(action->path);
    }
    error = error ? error : errno;
    unlink(temporary);
    return error;
}

static int do_it(const struct action *action)
{
    switch (action->what) {
    case ACTION_FSYNC:
        return sync_file(action->path);
    case ACTION_TRUNCATE:
        return truncate_file(action->path);
    case ACTION_UNLINK:
        return unlink_file(action->path);
    case ACTION_RENAME:
        return rename_file(action->path, action->to);
    case ACTION_TOUCH:
        return touch_file(action);
    default:
        return write_file(action);
    }
}

int action_do(const struct action *action)
{
    int error = do_it(action);

    return error == ENOENT && !action->must_exist && action->what != ACTION_TOUCH &&
                   action->what != ACTION_WRITE
               ? 0
               : error;
}
