/* SPDX-License-Identifier: MIT */
/* Printing, failing, clocks and memory for the test servers. */
#define _GNU_SOURCE 1
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void say(const char *format, ...)
{
    char line[512];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (len < 0)
        return;
    size_t end = (size_t)len < sizeof line - 1 ? (size_t)len : sizeof line - 2;
    line[end] = '\n';
    if (write(STDOUT_FILENO, line, end + 1) < 0)
        return;
}

void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

void die_usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_USAGE);
}

int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void *must_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        die("calloc");
    return memory;
}
