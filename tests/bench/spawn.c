/* SPDX-License-Identifier: MIT */
/* Measures what preloading a library costs a process that does nothing. */
/* Context: a program; single-threaded. Run it without the library. */
#define _GNU_SOURCE 1
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

/*
 *   spawn LIBRARY [ROUNDS]       500
 *
 * Runs /bin/true bare and with LD_PRELOAD=LIBRARY in turns, and prints the medians:
 *
 *   bare_us N preloaded_us N
 */

enum { ROUNDS = 500 };

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t spawn_once(char **environment)
{
    char *const arguments[] = {"true", NULL};
    int64_t began = now_ns();
    int status;
    pid_t pid;

    if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environment) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "spawn: /bin/true can't be run\n");
        exit(1);
    }
    return now_ns() - began;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double median_us(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return (double)values[count / 2] / 1e3;
}

int main(int argc, char **argv)
{
    char preload[4096];
    char *bare[] = {NULL}, *preloaded[] = {preload, NULL};
    long rounds = argc > 2 ? atol(argv[2]) : ROUNDS;

    if (argc < 2 || rounds < 1)
        return 64;
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", argv[1]);
    int64_t *without = calloc((size_t)rounds, sizeof *without);
    int64_t *with = calloc((size_t)rounds, sizeof *with);
    if (!without || !with)
        return 1;
    for (long i = 0; i < rounds; i++) {
        without[i] = spawn_once(bare);
        with[i] = spawn_once(preloaded);
    }
    printf("bare_us %.1f preloaded_us %.1f\n", median_us(without, (size_t)rounds),
           median_us(with, (size_t)rounds));
    free(without);
    free(with);
    return 0;
}
