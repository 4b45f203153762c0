/* SPDX-License-Identifier: MIT */
/* A clock, sockets, and medians of pairs. */
#define _GNU_SOURCE 1
#include "bench.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void bench_die(const char *what)
{
    perror(what);
    exit(70);
}

void bench_must(long result, const char *what)
{
    if (result < 0)
        bench_die(what);
}

int bench_number(const char *text, int least, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number < least || number > most) {
        fprintf(stderr, "not a number from %d to %d: %s\n", least, most, text);
        exit(64);
    }
    return (int)number;
}

int64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_listen(struct bench_socket *one, int backlog)
{
    static atomic_int number;
    size_t room = sizeof one->address.sun_path - 1;
    int len = snprintf(one->address.sun_path + 1, room, "fluxshim-bench-%d-%d", getpid(), number++);

    one->address.sun_family = AF_UNIX;
    one->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    one->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bench_must(one->fd, "socket");
    bench_must(bind(one->fd, (struct sockaddr *)&one->address, one->size), "bind");
    bench_must(listen(one->fd, backlog), "listen");
}

int bench_connect(const struct bench_socket *one)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    bench_must(fd, "socket");
    bench_must(connect(fd, (const struct sockaddr *)&one->address, one->size), "connect");
    return fd;
}

void bench_pairs_begin(struct bench_pairs *pairs, int most)
{
    pairs->first = calloc((size_t)most, sizeof *pairs->first);
    pairs->over = calloc((size_t)most, sizeof *pairs->over);
    pairs->count = 0;
    if (!pairs->first || !pairs->over)
        bench_die("calloc");
}

void bench_pairs_add(struct bench_pairs *pairs, double first, double second)
{
    pairs->first[pairs->count] = first;
    pairs->over[pairs->count++] = second - first;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double at(const double *values, size_t count, double part)
{
    return values[(size_t)((double)(count - 1) * part + 0.5)];
}

void bench_pairs_print(struct bench_pairs *pairs)
{
    qsort(pairs->first, pairs->count, sizeof *pairs->first, by_value);
    qsort(pairs->over, pairs->count, sizeof *pairs->over, by_value);
    printf("libc %.2f over %.2f spread %.2f\n", at(pairs->first, pairs->count, 0.5),
           at(pairs->over, pairs->count, 0.5),
           (at(pairs->over, pairs->count, 0.75) - at(pairs->over, pairs->count, 0.25)) / 2);
}
