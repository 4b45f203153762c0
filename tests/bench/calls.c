/* SPDX-License-Identifier: MIT */
/* Measures what one call costs a server: run it bare and with the shim, and compare. */
/* Context: a program; single-threaded, armed by its own listen(). */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 *   calls accept|connection|http|file|fork|idle-fork [BATCHES [OBJECT...]]       2000
 *
 *   accept      accept4() and close() of a connection that waits in the queue (AF_UNIX: its own
 *               cost is the smallest, so that a difference shows)
 *   connection  write() of one byte to an accepted connection and read() of one from it
 *   http        write() of a small HTTP/1 response, which begins one each time
 *   file        read() of no bytes from /dev/null and write() of one to it
 *   fork        fork(), _exit() in the child, and waitpid()
 *   idle-fork   the same in a process that never listens
 *
 * Each OBJECT is opened by dlopen() first: what its mappings alone cost a bare program's fork.
 *
 * Prints the lowest tenth of the batches (what a busy machine adds is not the calls') per pair of
 * calls (http: per call), and the instructions in user mode, or -1 where they can't be counted:
 *
 *   ns N instructions N
 */

enum { BATCH = 64, BATCHES = 2000 };

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

static int listener, counter;
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static socklen_t address_size;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void must(long result, const char *what)
{
    if (result < 0)
        die(what);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_counter(void)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof attr,
                                   .config = PERF_COUNT_HW_INSTRUCTIONS,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};

    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static int64_t instructions(void)
{
    int64_t count = -1;

    if (counter < 0 || read(counter, &count, sizeof count) != sizeof count)
        return -1;
    return count;
}

/* An abstract name: nothing is left behind. */
static void open_listener(void)
{
    int len =
        snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "fluxshim-bench-%d", getpid());

    address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(listener, "socket");
    must(bind(listener, (struct sockaddr *)&address, address_size), "bind");
    must(listen(listener, BATCH * 2), "listen");
}

static int connect_one(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd, "socket");
    must(connect(fd, (struct sockaddr *)&address, address_size), "connect");
    return fd;
}

static int clients[BATCH];
static int server_end, client_end, null_fd;
static char bytes[BATCH * sizeof response];

static void prepare_accept(void)
{
    for (int i = 0; i < BATCH; i++)
        clients[i] = connect_one();
}

static void measure_accept(void)
{
    for (int i = 0; i < BATCH; i++)
        close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
}

static void clean_accept(void)
{
    for (int i = 0; i < BATCH; i++)
        close(clients[i]);
}

static void prepare_connection(void)
{
    must(write(client_end, bytes, BATCH), "write");
}

static void measure_connection(void)
{
    char byte;

    for (int i = 0; i < BATCH; i++) {
        must(read(server_end, &byte, 1), "read");
        must(write(server_end, &byte, 1), "write");
    }
}

static void clean_connection(void)
{
    for (size_t left = BATCH; left > 0;) {
        ssize_t got = read(client_end, bytes, left);
        must(got, "read");
        left -= (size_t)got;
    }
}

static void prepare_nothing(void)
{
}

static void measure_http(void)
{
    for (int i = 0; i < BATCH; i++)
        must(write(server_end, response, sizeof response - 1), "write");
}

static void clean_http(void)
{
    for (size_t left = BATCH * (sizeof response - 1); left > 0;) {
        ssize_t got = read(client_end, bytes, left);
        must(got, "read");
        left -= (size_t)got;
    }
}

static void measure_file(void)
{
    char byte = 0;

    for (int i = 0; i < BATCH; i++) {
        must(read(null_fd, &byte, 1), "read");
        must(write(null_fd, &byte, 1), "write");
    }
}

static void measure_fork(void)
{
    for (int i = 0; i < BATCH; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        must(pid, "fork");
        must(waitpid(pid, NULL, 0), "waitpid");
    }
}

static const struct bench {
    const char *name;
    void (*prepare)(void), (*measure)(void), (*clean)(void);
} benches[] = {
    {"accept", prepare_accept, measure_accept, clean_accept},
    {"connection", prepare_connection, measure_connection, clean_connection},
    {"http", prepare_nothing, measure_http, clean_http},
    {"file", prepare_nothing, measure_file, prepare_nothing},
    {"fork", prepare_nothing, measure_fork, prepare_nothing},
    {"idle-fork", prepare_nothing, measure_fork, prepare_nothing},
};

static const struct bench *find(const char *name)
{
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        if (strcmp(benches[i].name, name) == 0)
            return &benches[i];
    fprintf(stderr, "calls: allowed are accept, connection, http, file, fork and idle-fork\n");
    exit(64);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double low_tenth(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    size_t rank = count / 10;

    return (double)values[rank];
}

static void run(const struct bench *bench, size_t batches)
{
    int64_t *times = calloc(batches, sizeof *times), *counts = calloc(batches, sizeof *counts);

    if (!times || !counts)
        die("calloc");
    for (size_t i = 0; i < batches; i++) {
        bench->prepare();
        int64_t counted = instructions(), began = now_ns();
        bench->measure();
        times[i] = now_ns() - began;
        counts[i] = counted < 0 ? -BATCH : instructions() - counted;
        bench->clean();
    }
    printf("ns %.2f instructions %.1f\n", low_tenth(times, batches) / BATCH,
           low_tenth(counts, batches) / BATCH);
    free(times);
    free(counts);
}

static void open_connection(void)
{
    open_listener();
    client_end = connect_one();
    server_end = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    must(server_end, "accept4");
}

int main(int argc, char **argv)
{
    long batches = argc > 2 ? atol(argv[2]) : BATCHES;

    if (argc < 2 || batches < 1)
        return find("")->name == NULL;
    const struct bench *bench = find(argv[1]);

    for (int i = 3; i < argc; i++) {
        if (!dlopen(argv[i], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND)) {
            fprintf(stderr, "calls: %s\n", dlerror());
            return 70;
        }
    }
    if (strcmp(bench->name, "idle-fork") != 0)
        open_connection();
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    must(null_fd, "/dev/null");
    counter = open_counter();
    run(bench, (size_t)batches);
    return 0;
}
