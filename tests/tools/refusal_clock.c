/* SPDX-License-Identifier: MIT */
/* Measures the time from a signal to the first refused connect() as a client sees it. */
#define _GNU_SOURCE 1
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/args.h"
#include "lib/exchange.h"

/*
 *   refusal_clock --connect ADDR --pid PID [--signal 15] [--warmup-ms 100] and those of lib/args.h
 *
 * Connects, asks, reads the answer and closes, one connection after the other; after the warm-up it
 * sends the signal between two of them. Then one line on stdout:
 *
 *   refused_after_us N lost N accepted N
 *
 * N is counted from just before kill() to the return of the connect() that was refused, or -1 if
 * none was before the deadline (exit status 1). `accepted` are the connections in between.
 */

enum { OPT_PID = ARGS_FIRST_OWN, OPT_SIGNAL, OPT_WARMUP };

static struct args args;
static struct question question;
static pid_t pid;
static int signo = SIGTERM;
static int64_t warmup_us = 100000;
static long lost, accepted;

/* False if the connection was refused. */
static bool one_connection(unsigned serial)
{
    struct exchange exchange;
    int fd = addr_connect(&args.addr, serial, args.timeout_ms);
    enum connect_result result = exchange_classify(fd);

    if (result == CONNECT_REFUSED)
        return false;
    if (result == CONNECT_OK) {
        bool answered = exchange_run(&exchange, fd, &question);
        addr_close(&args.addr, fd, answered);
        lost += !answered;
        accepted++;
    } else {
        lost += result == CONNECT_LOST;
    }
    return true;
}

/* Returns the last serial used; ends the tool if the server refuses before the signal. */
static unsigned warm_up(void)
{
    int64_t end = args_now_us() + warmup_us;
    unsigned serial = 0;

    do {
        if (!one_connection(serial++))
            args_usage("the server refuses before the signal");
    } while (args_now_us() < end);
    return serial;
}

/* Microseconds, or -1. */
static int64_t measure(unsigned serial)
{
    int64_t start = args_now_us();

    if (kill(pid, signo) < 0)
        args_die("kill");
    while (one_connection(serial++))
        if (args_now_us() > args.deadline_us)
            return -1;
    return args_now_us() - start;
}

static void take(int option, const char *value)
{
    if (option == OPT_PID)
        pid = atoi(value);
    else if (option == OPT_SIGNAL)
        signo = atoi(value);
    else if (option == OPT_WARMUP)
        warmup_us = atoi(value) * INT64_C(1000);
    else
        args_take(&args, option, value);
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        ARGS_COMMON,
        {"pid", required_argument, NULL, OPT_PID},
        {"signal", required_argument, NULL, OPT_SIGNAL},
        {"warmup-ms", required_argument, NULL, OPT_WARMUP},
        {NULL, 0, NULL, 0},
    };
    int option;

    args_init(&args);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take(option, optarg);
    args_finish(&args);
    if (pid <= 1)
        args_usage("--pid is missing");
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    args_question(&args, "echo hello", "hello", &question);
    unsigned serial = warm_up();
    accepted = 0;
    int64_t us = measure(serial);
    printf("refused_after_us %lld lost %ld accepted %ld\n", (long long)us, lost, accepted);
    question_free(&question);
    return us < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
