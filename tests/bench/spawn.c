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
    size_t middle = count / 2;

    return (double)values[middle] / 1e3;
}

/* values[0] bare, values[1] preloaded: in turns, so that both see the same machine. */
static void measure(const char *library, int64_t *values[2], size_t rounds)
{
    char preload[4096];
    char *bare[] = {NULL}, *preloaded[] = {preload, NULL};

    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    for (size_t i = 0; i < rounds; i++) {
        values[0][i] = spawn_once(bare);
        values[1][i] = spawn_once(preloaded);
    }
}

int main(int argc, char **argv)
{
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : ROUNDS;

    if (argc < 2 || rounds < 1) {
        fprintf(stderr, "usage: spawn LIBRARY [ROUNDS]\n");
        return 64;
    }
    size_t count = (size_t)rounds;
    int64_t *room = calloc(count * 2, sizeof *room);
    if (!room)
        return 1;
    int64_t *values[2] = {room, room + count};
    measure(argv[1], values, count);
    printf("bare_us %.1f preloaded_us %.1f\n", median_us(values[0], count),
           median_us(values[1], count));
    free(room);
    return 0;
}
