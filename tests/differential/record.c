/* SPDX-License-Identifier: MIT */
/* Hashing and printing what a program has seen. */
/* Context: the program that is compared, and its children; one at a time writes. */
#include "record.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct record *current;
static bool tracing;

struct record *record_map(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *map = mmap(NULL, sizeof(struct record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd >= 0)
        close(fd);
    return map == MAP_FAILED ? NULL : map;
}

void record_to(struct record *record, bool trace)
{
    current = record;
    tracing = trace;
}

/* FNV-1a over words, the last one filled up with zeros. */
void record_quietly(const void *bytes, size_t size)
{
    const char *from = bytes;

    while (size > 0) {
        uint64_t word = 0;
        size_t n = size < sizeof word ? size : sizeof word;

        memcpy(&word, from, n);
        current->hash = (current->hash ^ word) * UINT64_C(0x100000001b3);
        current->hash ^= current->hash >> 29;
        from += n;
        size -= n;
    }
}

/* By the kernel's own call: a line is no part of what is compared. */
void record_line(const char *format, ...)
{
    char line[512];
    va_list args;

    if (!tracing)
        return;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    n = n < (int)sizeof line - 2 ? n : (int)sizeof line - 2;
    line[n++] = '\n';
    (void)!write(STDOUT_FILENO, line, (size_t)n);
}

void record_step(size_t number, const char *name)
{
    current->steps++;
    record_line("%zu %s", number, name);
}

void record_call(const char *call, long result, int error)
{
    long both[] = {result, error};

    record_quietly(both, sizeof both);
    record_line("    %s = %ld %s", call, result,
                error == RECORD_ERRNO ? ""
                : error == 0          ? "errno 0"
                                      : strerrorname_np(error));
}

void record_value(const char *what, long value)
{
    record_quietly(&value, sizeof value);
    record_line("    %s: %ld", what, value);
}

void record_bytes(const char *what, const void *bytes, size_t size)
{
    const unsigned char *byte = bytes;
    char text[64];
    size_t n = size < 30 ? size : 30;

    record_quietly(bytes, size);
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", byte[i]);
    record_line("    %s: %zu bytes, %s%s", what, size, n ? text : "", n < size ? "..." : "");
}
