/* SPDX-License-Identifier: MIT */
/* Reads a whole file, within bounds. */
/* Context: a program of one thread. */
#include "document/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/output.h"
#include "lib/text.h"

#define ROOM_LEAST 65536

static ssize_t read_some(int fd, char *to, size_t size)
{
    ssize_t n;

    do {
        n = read(fd, to, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Allocated, with a NUL behind it; at most one byte more than a document may have. -errno. */
static int read_whole(int fd, char **ret_text, size_t *ret_size)
{
    size_t room = ROOM_LEAST, size = 0;
    char *text = malloc(room + 1);
    ssize_t n = 1;

    while (text && n > 0 && size <= DOCUMENT_SIZE_MOST) {
        if (size == room) {
            char *more = realloc(text, 2 * room + 1);

            if (!more) {
                free(text);
                return -ENOMEM;
            }
            text = more;
            room *= 2;
        }
        n = read_some(fd, text + size, room - size);
        size += n > 0 ? (size_t)n : 0;
    }
    if (!text || n < 0) {
        int error = text ? errno : ENOMEM;

        free(text);
        return -error;
    }
    text[size] = '\0';
    *ret_text = text;
    *ret_size = size;
    return 0;
}

static enum status status_of(int error)
{
    if (error == ENOENT || error == ENOTDIR) {
        return STATUS_NOT_THERE;
    }
    return error == EACCES || error == EPERM ? STATUS_NOT_ALLOWED : STATUS_NO;
}

static enum status parse(const char *file, const char *text, size_t size, struct document *document)
{
    struct fault fault;

    if (document_parse(text, size, document, &fault) == 0) {
        return STATUS_OK;
    }
    say("%s: %s", text_visible(file), text_visible(fault.text));
    document_free(document);
    return STATUS_NO;
}

enum status document_open(const char *file, struct document *ret_document)
{
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t size = 0;
    int error = fd < 0 ? -errno : read_whole(fd, &text, &size);

    if (fd >= 0 && !is_stdin) {
        (void)close(fd);
    }
    if (error != 0) {
        say("%s: %s", text_visible(file), strerror(-error));
        return status_of(-error);
    }
    enum status status = parse(is_stdin ? "stdin" : file, text, size, ret_document);

    free(text);
    return status;
}
