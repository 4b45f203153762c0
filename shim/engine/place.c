/* SPDX-License-Identifier: MIT */
/* Finds the checkpoint's folder again, whatever the program has done to its root meanwhile. */
/* Context: arming and coordinator thread; makes system calls. */
#include "engine/place.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/shim.h"

static char path[PATH_MAX]; /* set while arming; "" is none */
static struct stat known;   /* the folder as it was then; st_ino 0: it was not there */

const char *place_path(void)
{
    return path;
}

const char *place_name(void)
{
    return strrchr(path, '/') + 1;
}

/* ---- the name ---- */

static int expand_one(char kind, char *to, size_t room)
{
    switch (kind) {
    case 'p':
        return snprintf(to, room, "%d", (int)getpid());
    case 'n':
        return snprintf(to, room, "%s", program_invocation_short_name);
    case '%':
        return snprintf(to, room, "%%");
    default:
        return -EINVAL;
    }
}

static int expand(const char *given, char expanded[PATH_MAX])
{
    size_t n = 0;

    for (; *given != '\0' && n < PATH_MAX - 1; given++) {
        int length = 1;

        if (*given == '%') {
            length = expand_one(*++given, expanded + n, PATH_MAX - n);
        } else {
            expanded[n] = *given;
        }
        if (length < 0) {
            return length;
        }
        n += (size_t)length;
    }
    if (n >= PATH_MAX) {
        return -ENAMETOOLONG;
    }
    expanded[n] = '\0';
    return *given == '\0' ? 0 : -ENAMETOOLONG;
}

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

int place_set(const char *given)
{
    char expanded[PATH_MAX], absolute[PATH_MAX];
    int result, folder;

    path[0] = '\0';
    known = (struct stat){0};
    if (!given || given[0] == '\0') {
        return 0;
    }
    result = expand(given, expanded);
    result = result < 0 ? result : make_absolute(expanded, absolute);
    if (result < 0) {
        return result;
    }
    strlcpy(path, absolute, sizeof(path));
    folder = place_open();
    if (folder >= 0) {
        (void)fstat(folder, &known);
        close(folder);
    }
    return 0;
}

/* ---- the folder ---- */

static int open_folder(const char *name)
{
    int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == EACCES) {
        fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return fd < 0 ? -errno : fd;
}

static bool is_known(const char *name)
{
    struct stat st;

    return stat(name, &st) == 0 && st.st_dev == known.st_dev && st.st_ino == known.st_ino;
}

int place_open(void)
{
    char folder[PATH_MAX];
    const char *from = folder;

    (void)snprintf(folder, sizeof(folder), "%.*s", (int)(place_name() - path), path);
    while (known.st_ino != 0 && from && !is_known(from)) {
        from = strchr(from + 1, '/'); /* the last one is "/" itself */
    }
    return open_folder(known.st_ino != 0 && from ? from : folder);
}

const char *place_obstacle(int folder, const char *name)
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
