/* SPDX-License-Identifier: MIT */
/* Measures what preloading a library costs a process that does nothing. */
/* Context: a program; single-threaded. Run it without the library. */
#define _GNU_SOURCE 1
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/bench.h"

/*
 *   spawn LIBRARY ROUNDS COMMAND [ARGUMENT...]
 *
 * Runs the command, a path, bare and with LD_PRELOAD=LIBRARY in turns. Prints the medians of its time, of the
 * difference, and half the distance of its quartiles, in us:
 *
 *   libc N over N spread N
 */

static double spawn_us(char **command, char **environment)
{
    int64_t began = bench_now_ns();
    int status;
    pid_t pid;

    if (posix_spawn(&pid, command[0], NULL, NULL, command, environment) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "spawn: %s can't be run\n", command[0]);
        exit(1);
    }
    return (double)(bench_now_ns() - began) / 1e3;
}

/* In turns, so that both see the same machine. */
static void measure(const char *library, char **command, int rounds, struct bench_pairs *pairs)
{
    char preload[4096];
    char *bare[] = {NULL}, *preloaded[] = {preload, NULL};

    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", library);
    bench_pairs_begin(pairs, rounds);
    for (int i = 0; i < rounds; i++) {
        bool swaps = i % 2 != 0;
        double one = spawn_us(command, swaps ? preloaded : bare);
        double two = spawn_us(command, swaps ? bare : preloaded);

        bench_pairs_add(pairs, swaps ? two : one, swaps ? one : two);
    }
}

int main(int argc, char **argv)
{
    struct bench_pairs pairs = {0};

    if (argc < 4) {
        fprintf(stderr, "usage: spawn LIBRARY ROUNDS COMMAND [ARGUMENT...]\n");
        return 64;
    }
    measure(argv[1], argv + 3, bench_number(argv[2], 1, 100000), &pairs);
    bench_pairs_print(&pairs);
    return 0;
}
