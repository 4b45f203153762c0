/* SPDX-License-Identifier: MIT */
/* Measures what a fork costs a server: run it bare and with the shim, and compare. */
/* Context: a program; single-threaded, armed by its own listen(). */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/bench.h"

/*
 *   forks armed|idle|mapped [BATCHES [OBJECT...]]       100
 *
 *   armed   fork(), _exit() in the child, and waitpid(), in a process that listens and has a connection
 *   idle    the same in one that never listens
 *   mapped  the same in one that never listens and has mapped what an armed one must have: a page that the
 *           kernel wipes in a child (which the child writes to), a family's memory, a table of descriptors
 *
 * Each OBJECT is opened by dlopen() first: what its mappings alone cost a bare program's fork.
 *
 * Prints the lowest tenth of the batches (what a busy machine adds is not the calls'):
 *
 *   us N
 */

enum { BATCH = 64, BATCHES = 100 };

static void open_connection(void)
{
    struct bench_socket socket;

    bench_listen(&socket, 8);
    (void)bench_connect(&socket);
    bench_must(accept4(socket.fd, NULL, NULL, SOCK_CLOEXEC), "accept4");
}

static volatile char *wiped; /* NULL: not mapped */

static volatile char *map(size_t size, int flags)
{
    volatile char *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

    if (base == MAP_FAILED)
        bench_die("mmap");
    *base = 1;
    return base;
}

static void map_what_is_needed(void)
{
    wiped = map(4096, MAP_PRIVATE);
    bench_must(madvise((void *)wiped, 4096, MADV_WIPEONFORK), "madvise");
    (void)map(176 << 10, MAP_SHARED);
    (void)map(312 << 10, MAP_PRIVATE | MAP_NORESERVE);
}

static double batch_us(void)
{
    int64_t began = bench_now_ns();

    for (int i = 0; i < BATCH; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (wiped)
                *wiped = 1;
            _exit(0);
        }
        bench_must(pid, "fork");
        bench_must(waitpid(pid, NULL, 0), "waitpid");
    }
    return (double)(bench_now_ns() - began) / BATCH / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 1 ? argv[1] : "";
    bool armed = strcmp(kind, "armed") == 0, mapped = strcmp(kind, "mapped") == 0;

    if (!armed && !mapped && strcmp(kind, "idle") != 0) {
        fprintf(stderr, "usage: forks armed|idle|mapped [BATCHES [OBJECT...]]\n");
        return 64;
    }
    int batches = argc > 2 ? bench_number(argv[2], 1, 100000) : BATCHES;
    double *times = calloc((size_t)batches, sizeof *times);

    for (int i = 3; i < argc; i++) {
        if (!dlopen(argv[i], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)) {
            fprintf(stderr, "forks: %s\n", dlerror());
            return 70;
        }
    }
    if (armed)
        open_connection();
    if (mapped)
        map_what_is_needed();
    for (int i = 0; times && i < batches; i++)
        times[i] = batch_us();
    if (!times)
        bench_die("calloc");
    qsort(times, (size_t)batches, sizeof *times, by_value);
    printf("us %.3f\n", times[batches / 10]);
    free(times);
    return 0;
}
