/* SPDX-License-Identifier: MIT */
/* A temporary file beside the place, and a rename. */
/* Context: a program of one thread. */
#include "lib/file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/output.h"
#include "lib/text.h"

static enum status fail(const char *path, int error)
{
    say("%s: %s", text_visible(path), strerror(error));
    return error == ENOENT || error == ENOTDIR ? STATUS_NOT_THERE
           : error == EACCES || error == EPERM ? STATUS_NOT_ALLOWED
                                               : STATUS_NO;
}

static int write_whole(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno != EINTR) {
            return -errno;
        }
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* What open(2) with 0666 would have given. */
static int give_mode(int fd)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    return fchmod(fd, 0666 & ~mask) == 0 ? 0 : -errno;
}

static int fill(int fd, const char *bytes, size_t size)
{
    int error = write_whole(fd, bytes, size);

    if (error == 0) {
        error = give_mode(fd);
    }
    if (error == 0 && fsync(fd) != 0) {
        error = -errno;
    }
    return close(fd) == 0 || error != 0 ? error : -errno;
}

static int replace(const char *path, const char *bytes, size_t size)
{
    char temporary[PATH_MAX];

    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary)) {
        return -ENAMETOOLONG;
    }
    int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    int error = fill(fd, bytes, size);

    if (error == 0 && rename(temporary, path) != 0) {
        error = -errno;
    }
    if (error != 0) {
        (void)unlink(temporary);
    }
    return error;
}

enum status file_out(const char *path, const char *bytes, size_t size)
{
    struct stat st;

    if (strcmp(path, "-") == 0) {
        bool good = fwrite(bytes, 1, size, stdout) == size && fflush(stdout) == 0;

        return good ? STATUS_OK : fail("stdout", errno);
    }
    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        say("%s: is there, and no regular file", text_visible(path));
        return STATUS_NO;
    }
    int error = replace(path, bytes, size);

    return error == 0 ? STATUS_OK : fail(path, -error);
}
