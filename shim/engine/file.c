/* SPDX-License-Identifier: MIT */
/* Reads a whole file, bounded in size and kind. */
/* Context: arming and coordinator thread; may allocate and block. */
#include "engine/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* At most `size` bytes, as many as there are; -EFBIG if there are more. */
static ssize_t read_whole(int fd, char *text, size_t size)
{
    size_t n = 0;
    ssize_t got = 1;

    while (got != 0 && n <= size) {
        got = read(fd, text + n, size + 1 - n);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        n += got > 0 ? (size_t)got : 0;
    }
    return n > size ? -EFBIG : (ssize_t)n;
}

static int read_text(int fd, size_t most, char **ret_text)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    }
    if ((size_t)st.st_size > most) {
        return -EFBIG;
    }
    size_t size = (size_t)st.st_size;
    char *text = malloc(size + 2);

    if (!text) {
        return -ENOMEM;
    }
    ssize_t n = read_whole(fd, text, size); /* one that grows meanwhile is too big */

    if (n < 0) {
        free(text);
        return (int)n;
    }
    text[n] = '\0';
    *ret_text = text;
    return 0;
}

int file_read(int folder, const char *name, int flags, size_t most, char **ret_text)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
    int result = fd < 0 ? -errno : read_text(fd, most, ret_text);

    if (fd >= 0) {
        close(fd);
    }
    return result;
}
