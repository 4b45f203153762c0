/* SPDX-License-Identifier: MIT */
/* What the programs of tests/bench have in common: a clock, sockets, and medians of pairs. */
/* Context: programs; an error ends them with a message. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

void bench_die(const char *what) __attribute__((noreturn));
void bench_must(long result, const char *what);
int bench_number(const char *text, int least, int most);
int64_t bench_now_ns(void);

/* A listener with an abstract name: nothing is left behind. */
struct bench_socket {
    int fd;
    struct sockaddr_un address;
    socklen_t size;
};

void bench_listen(struct bench_socket *socket, int backlog);
int bench_connect(const struct bench_socket *socket);

/* Figures taken in turns, and what the second has over the first. */
struct bench_pairs {
    double *first, *over;
    size_t count;
};

void bench_pairs_begin(struct bench_pairs *pairs, int most);
void bench_pairs_add(struct bench_pairs *pairs, double first, double second);

/* Sorts them. `libc N over N spread N` */
void bench_pairs_print(struct bench_pairs *pairs);

#endif
