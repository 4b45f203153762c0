/* SPDX-License-Identifier: MIT */
/* Measures what the shim adds to one call: libc's own and the program's, in turns, in one process. */
/* Context: a program that arms by its own listen(). */
#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/bench.h"

/*
 *   calls BENCH [--rounds N] [--threads N] [--company] [--only libc|program]
 *
 *   accept      accept4() and close() of a connection that waits in the queue (AF_UNIX: its own
 *               cost is the smallest, so that a difference shows)
 *   connection  read() of one byte from an accepted connection, and write() of one to it
 *   vectors     the same by readv() and writev()
 *   messages    the same by recv() and send()
 *   http        write() of a small HTTP/1 response, which begins one each time
 *   file        read() of no bytes from /dev/null, and write() of one to it
 *   pipe        write() of one byte to a pipe, and read() of one from it
 *   close       close() of a descriptor that is no socket
 *   sigaction   sigaction() of a signal that the shim doesn't hold
 *   listen      listen() of a socket that listens already
 *
 * A round is BATCH calls by libc's own functions, found with dlsym(), and BATCH by those that the program
 * is linked to: without a preloaded library they are the same. --threads: so many do this at once, the
 * first one's figures are told. --company: a second thread exists and sleeps, since libc treats a
 * program with one thread in its own way. --only: one of the two, for a count of instructions from
 * outside.
 *
 * Prints the medians of a call's time, of the difference, and half the distance of its quartiles, in ns:
 *
 *   libc N over N spread N
 */

enum { BATCH = 64, ROUNDS = 2000, THREADS_MOST = 16 };

static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/* What is measured: the same names twice. */
struct calls {
    int (*accept4)(int, struct sockaddr *, socklen_t *, int);
    int (*close)(int);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*readv)(int, const struct iovec *, int);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*recv)(int, void *, size_t, int);
    ssize_t (*send)(int, const void *, size_t, int);
    int (*sigaction)(int, const struct sigaction *, struct sigaction *);
    int (*listen)(int, int);
};

static const struct calls program = {accept4, close, read, write,     readv,
                                     writev,  recv,  send, sigaction, listen};
static struct calls libc;

/* What a thread measures on. */
struct scene {
    struct bench_socket socket;
    int server_end, client_end, null_fd, pipe[2], fds[BATCH];
    char bytes[BATCH * sizeof response];
};

static void *of_libc(void *handle, const char *name)
{
    void *found = dlsym(handle, name);

    if (!found)
        bench_die(name);
    return found;
}

static void find_libc(void)
{
    void *handle = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

    if (!handle)
        bench_die("libc.so.6");
    libc = (struct calls){of_libc(handle, "accept4"),   of_libc(handle, "close"),
                          of_libc(handle, "read"),      of_libc(handle, "write"),
                          of_libc(handle, "readv"),     of_libc(handle, "writev"),
                          of_libc(handle, "recv"),      of_libc(handle, "send"),
                          of_libc(handle, "sigaction"), of_libc(handle, "listen")};
}

/* ---- what is measured ---- */

static void prepare_nothing(struct scene *scene)
{
    (void)scene;
}

static void prepare_accept(struct scene *scene)
{
    for (int i = 0; i < BATCH; i++)
        scene->fds[i] = bench_connect(&scene->socket);
}

static void measure_accept(const struct calls *calls, struct scene *scene)
{
    for (int i = 0; i < BATCH; i++)
        calls->close(calls->accept4(scene->socket.fd, NULL, NULL, SOCK_CLOEXEC));
}

static void clean_accept(struct scene *scene)
{
    for (int i = 0; i < BATCH; i++)
        libc.close(scene->fds[i]);
}

static void prepare_connection(struct scene *scene)
{
    bench_must(libc.write(scene->client_end, scene->bytes, BATCH), "write");
}

static void measure_connection(const struct calls *calls, struct scene *scene)
{
    char byte;

    for (int i = 0; i < BATCH; i++) {
        bench_must(calls->read(scene->server_end, &byte, 1), "read");
        bench_must(calls->write(scene->server_end, &byte, 1), "write");
    }
}

static void measure_vectors(const struct calls *calls, struct scene *scene)
{
    char byte;
    struct iovec part = {&byte, 1};

    for (int i = 0; i < BATCH; i++) {
        bench_must(calls->readv(scene->server_end, &part, 1), "readv");
        bench_must(calls->writev(scene->server_end, &part, 1), "writev");
    }
}

static void measure_messages(const struct calls *calls, struct scene *scene)
{
    char byte;

    for (int i = 0; i < BATCH; i++) {
        bench_must(calls->recv(scene->server_end, &byte, 1, 0), "recv");
        bench_must(calls->send(scene->server_end, &byte, 1, MSG_NOSIGNAL), "send");
    }
}

static void take_back(struct scene *scene, size_t bytes)
{
    for (size_t left = bytes; left > 0;) {
        ssize_t got = libc.read(scene->client_end, scene->bytes, left);
        bench_must(got, "read");
        left -= (size_t)got;
    }
}

static void clean_connection(struct scene *scene)
{
    take_back(scene, BATCH);
}

static void measure_http(const struct calls *calls, struct scene *scene)
{
    for (int i = 0; i < BATCH; i++)
        bench_must(calls->write(scene->server_end, response, sizeof response - 1), "write");
}

static void clean_http(struct scene *scene)
{
    take_back(scene, BATCH * (sizeof response - 1));
}

static void measure_file(const struct calls *calls, struct scene *scene)
{
    char byte = 0;

    for (int i = 0; i < BATCH; i++) {
        bench_must(calls->read(scene->null_fd, &byte, 1), "read");
        bench_must(calls->write(scene->null_fd, &byte, 1), "write");
    }
}

static void measure_pipe(const struct calls *calls, struct scene *scene)
{
    char byte = 0;

    for (int i = 0; i < BATCH; i++) {
        bench_must(calls->write(scene->pipe[1], &byte, 1), "write");
        bench_must(calls->read(scene->pipe[0], &byte, 1), "read");
    }
}

static void prepare_close(struct scene *scene)
{
    for (int i = 0; i < BATCH; i++) {
        scene->fds[i] = fcntl(scene->null_fd, F_DUPFD_CLOEXEC, 0);
        bench_must(scene->fds[i], "fcntl");
    }
}

static void measure_close(const struct calls *calls, struct scene *scene)
{
    for (int i = 0; i < BATCH; i++)
        calls->close(scene->fds[i]);
}

static void measure_sigaction(const struct calls *calls, struct scene *scene)
{
    struct sigaction action;

    (void)scene;
    for (int i = 0; i < BATCH; i++)
        bench_must(calls->sigaction(SIGUSR2, NULL, &action), "sigaction");
}

static void measure_listen(const struct calls *calls, struct scene *scene)
{
    for (int i = 0; i < BATCH; i++)
        bench_must(calls->listen(scene->socket.fd, BATCH * 2), "listen");
}

static const struct bench {
    const char *name;
    int calls; /* of a kind that counts, in each of a batch */
    void (*prepare)(struct scene *scene);
    void (*measure)(const struct calls *calls, struct scene *scene);
    void (*clean)(struct scene *scene);
} benches[] = {
    {"accept", 1, prepare_accept, measure_accept, clean_accept},
    {"connection", 2, prepare_connection, measure_connection, clean_connection},
    {"vectors", 2, prepare_connection, measure_vectors, clean_connection},
    {"messages", 2, prepare_connection, measure_messages, clean_connection},
    {"http", 1, prepare_nothing, measure_http, clean_http},
    {"file", 2, prepare_nothing, measure_file, prepare_nothing},
    {"pipe", 2, prepare_nothing, measure_pipe, prepare_nothing},
    {"close", 1, prepare_close, measure_close, prepare_nothing},
    {"sigaction", 1, prepare_nothing, measure_sigaction, prepare_nothing},
    {"listen", 1, prepare_nothing, measure_listen, prepare_nothing},
};

/* ---- how ---- */

static struct {
    const struct bench *bench;
    const struct calls *only; /* NULL: both in turns */
    int rounds, threads;
    bool company;
} options = {.rounds = ROUNDS, .threads = 1};

static double time_of(const struct calls *calls, struct scene *scene)
{
    options.bench->prepare(scene);
    int64_t began = bench_now_ns();
    options.bench->measure(calls, scene);
    int64_t ended = bench_now_ns();

    options.bench->clean(scene);
    return (double)(ended - began) / BATCH / options.bench->calls;
}

static void open_scene(struct scene *scene)
{
    bench_listen(&scene->socket, BATCH * 2);
    scene->client_end = bench_connect(&scene->socket);
    scene->server_end = accept4(scene->socket.fd, NULL, NULL, SOCK_CLOEXEC);
    scene->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    bench_must(scene->server_end, "accept4");
    bench_must(scene->null_fd, "/dev/null");
    bench_must(pipe2(scene->pipe, O_CLOEXEC), "pipe2");
    bench_must(write(scene->pipe[1], "", 1), "write"); /* the shim's gate opens at a first call */
    bench_must(read(scene->pipe[0], scene->bytes, 1), "read");
}

/* `argument` is where the figures go, or NULL. */
static void *run(void *argument)
{
    struct scene scene = {0};
    struct bench_pairs *pairs = argument, unused = {0};

    pairs = pairs ? pairs : &unused;
    open_scene(&scene);
    bench_pairs_begin(pairs, options.rounds);
    for (int round = 0; round < options.rounds; round++) {
        bool swaps = round % 2 != 0;
        const struct calls *first = swaps ? &program : &libc, *second = swaps ? &libc : &program;
        double one = time_of(options.only ? options.only : first, &scene);
        double two = options.only ? one : time_of(second, &scene);

        bench_pairs_add(pairs, swaps ? two : one, swaps ? one : two);
    }
    return NULL;
}

static void *sleep_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static const struct bench *find(const char *name)
{
    for (size_t i = 0; name && i < sizeof benches / sizeof benches[0]; i++)
        if (strcmp(benches[i].name, name) == 0)
            return &benches[i];
    fprintf(stderr, "calls: allowed are:");
    for (size_t i = 0; i < sizeof benches / sizeof benches[0]; i++)
        fprintf(stderr, " %s", benches[i].name);
    fprintf(stderr, "\n");
    exit(64);
}

static void read_options(int argc, char **argv)
{
    options.bench = find(argc > 1 ? argv[1] : NULL);
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(argv[i], "--company") == 0)
            options.company = true;
        else if (strcmp(argv[i], "--rounds") == 0 && ++i < argc)
            options.rounds = bench_number(value, 1, 1000000);
        else if (strcmp(argv[i], "--threads") == 0 && ++i < argc)
            options.threads = bench_number(value, 1, THREADS_MOST);
        else if (strcmp(argv[i], "--only") == 0 && ++i < argc)
            options.only = strcmp(value, "libc") == 0 ? &libc : &program;
        else
            bench_die(argv[i]);
    }
}

int main(int argc, char **argv)
{
    struct bench_pairs pairs = {0};
    pthread_t threads[THREADS_MOST];

    read_options(argc, argv);
    find_libc();
    if (options.company)
        pthread_create(&threads[0], NULL, sleep_for_ever, NULL);
    for (int i = 1; i < options.threads; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    run(&pairs);
    for (int i = 1; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    bench_pairs_print(&pairs);
    return 0;
}
