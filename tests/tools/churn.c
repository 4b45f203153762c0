/* SPDX-License-Identifier: MIT */
/* Connects as fast as it can from several threads, and counts what became of each connection. */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/args.h"
#include "lib/exchange.h"

/*
 *   churn --connect ADDR [--threads 4] [--seconds S | --until-refused [--after-ms 200]]
 *         [--keepalive | --requests N] and the options of lib/args.h
 *
 * Each connection is asked N times (1; 10 with --keepalive) and closed after its last answer. One
 * that is refused is followed by a short pause. The last line on stdout:
 *
 *   ok N refused N lost N timeout N first_refusal_us T closed N late N
 *
 *   ok       answers that came whole and right
 *   refused  connect() said so
 *   lost     connect() succeeded and no whole, right answer came; each is told on stderr
 *   timeout  connect() gave up
 *   T        CLOCK_MONOTONIC in microseconds when connect() first said refused, 0 if never
 *   closed   kept-alive connections closed by the server between two answers
 *   late     connections begun after T that were accepted
 *
 * Exit status 0 whatever was counted, 2 if the fault is on this side.
 */

enum {
    OPT_THREADS = ARGS_FIRST_OWN,
    OPT_SECONDS,
    OPT_UNTIL,
    OPT_AFTER,
    OPT_KEEPALIVE,
    OPT_REQUESTS,
};

enum { THREADS_MAX = 64, KEEPALIVE_REQUESTS = 10, PAUSE_NS = 200000 };

static struct args args; /* this and the next four: written before the threads start */
static struct question question;
static int threads = 4, requests = 1;
static bool until_refused;
static int64_t after_us = 200000;

static atomic_int_fast64_t stop_at_us, first_refusal_us;
static atomic_long ok, refused, lost, timed_out, closed, late;

static void note_refused(void)
{
    const struct timespec a_moment = {.tv_nsec = PAUSE_NS};
    int64_t now = args_now_us();
    int_fast64_t never = 0;

    atomic_fetch_add(&refused, 1);
    if (atomic_compare_exchange_strong(&first_refusal_us, &never, now) && until_refused)
        atomic_store(&stop_at_us, now + after_us);
    nanosleep(&a_moment, NULL);
}

/* A kept-alive connection may be closed while idle, and the request crosses that. */
static bool was_idle(const struct exchange *exchange, int request)
{
    return request > 0 && exchange->answer.received == 0 && exchange->answer.state != ANSWER_WRONG;
}

static void note_failed(const struct exchange *exchange, unsigned serial, int request)
{
    if (was_idle(exchange, request)) {
        atomic_fetch_add(&closed, 1);
        return;
    }
    atomic_fetch_add(&lost, 1);
    fprintf(stderr, "lost at %lld us: connection %u request %d: %s: %s after %zu bytes\n",
            (long long)args_now_us(), serial, request, exchange->failed_call,
            exchange_reason(exchange), exchange->answer.received);
}

static void serve_connection(int fd, unsigned serial)
{
    struct exchange exchange;
    bool answered = true;

    for (int i = 0; answered && i < requests; i++) {
        answered = exchange_run(&exchange, fd, &question);
        if (answered)
            atomic_fetch_add(&ok, 1);
        else
            note_failed(&exchange, serial, i);
    }
    addr_close(&args.addr, fd, answered);
}

static void one_connection(unsigned serial)
{
    bool was_refused = atomic_load(&first_refusal_us) != 0;
    int fd = addr_connect(&args.addr, serial, args.timeout_ms);

    switch (exchange_classify(fd)) {
    case CONNECT_OK:
        atomic_fetch_add(&late, was_refused);
        serve_connection(fd, serial);
        break;
    case CONNECT_REFUSED:
        note_refused();
        break;
    case CONNECT_TIMEOUT:
        atomic_fetch_add(&timed_out, 1);
        break;
    case CONNECT_LOST:
        atomic_fetch_add(&lost, 1);
        fprintf(stderr, "lost: connection %u: connect: error %d\n", serial, -fd);
        break;
    }
}

static void *churn(void *first_serial)
{
    unsigned serial = *(unsigned *)first_serial;

    while (args_now_us() < atomic_load(&stop_at_us))
        one_connection(serial++);
    return NULL;
}

static void take(int option, const char *value)
{
    if (option == OPT_THREADS)
        threads = atoi(value);
    else if (option == OPT_SECONDS)
        args.deadline_us = args_now_us() + (int64_t)(atof(value) * 1e6);
    else if (option == OPT_UNTIL)
        until_refused = true;
    else if (option == OPT_AFTER)
        after_us = atoi(value) * INT64_C(1000);
    else if (option == OPT_KEEPALIVE)
        requests = KEEPALIVE_REQUESTS;
    else if (option == OPT_REQUESTS)
        requests = atoi(value);
    else
        args_take(&args, option, value);
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        ARGS_COMMON,
        {"threads", required_argument, NULL, OPT_THREADS},
        {"seconds", required_argument, NULL, OPT_SECONDS},
        {"until-refused", no_argument, NULL, OPT_UNTIL},
        {"after-ms", required_argument, NULL, OPT_AFTER},
        {"keepalive", no_argument, NULL, OPT_KEEPALIVE},
        {"requests", required_argument, NULL, OPT_REQUESTS},
        {NULL, 0, NULL, 0},
    };
    int option;

    args_init(&args);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take(option, optarg);
    args_finish(&args);
    if (threads < 1 || threads > THREADS_MAX)
        args_usage("--threads: allowed are 1 to 64");
}

int main(int argc, char **argv)
{
    pthread_t thread[THREADS_MAX];
    unsigned first_serial[THREADS_MAX];

    parse(argc, argv);
    args_question(&args, "echo hello", "hello", &question);
    atomic_store(&stop_at_us, args.deadline_us);
    for (int i = 0; i < threads; i++) {
        first_serial[i] = (unsigned)i << 17;
        if (pthread_create(&thread[i], NULL, churn, &first_serial[i]) != 0)
            args_die("pthread_create");
    }
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    printf("ok %ld refused %ld lost %ld timeout %ld first_refusal_us %lld closed %ld late %ld\n",
           ok, refused, lost, timed_out, (long long)first_refusal_us, closed, late);
    question_free(&question);
    return EXIT_SUCCESS;
}
