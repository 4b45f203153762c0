/* SPDX-License-Identifier: MIT */
/* Measures the time from the close of a draining server's last connection to its end. */
#define _GNU_SOURCE 1
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/args.h"
#include "lib/exchange.h"

/*
 *   release_clock --connect ADDR --pid PID [--signal 15] [--idle] and those of lib/args.h
 *
 * Asks for --path (/slow?ms=200), sends the signal while the answer is owed, reads it and closes. Then one line
 * on stdout:
 *
 *   released_after_us N
 *
 * N is counted from just before the close() to the end of the process, its teardown by the kernel
 * included. With --idle nothing is asked, and N is counted from the signal: what a bare server's end takes. Exit
 * status 1 if the answer was cut or the process didn't end before the deadline.
 */

enum { OPT_PID = ARGS_FIRST_OWN, OPT_SIGNAL, OPT_IDLE };

static struct args args;
static struct question question;
static pid_t pid;
static int signo = SIGTERM;
static bool idle;

static void take(int option, const char *value)
{
    if (option == OPT_PID)
        pid = atoi(value);
    else if (option == OPT_SIGNAL)
        signo = atoi(value);
    else if (option == OPT_IDLE)
        idle = true;
    else
        args_take(&args, option, value);
}

static void parse(int argc, char **argv)
{
    static const struct option options[] = {
        ARGS_COMMON,
        {"pid", required_argument, NULL, OPT_PID},
        {"signal", required_argument, NULL, OPT_SIGNAL},
        {"idle", no_argument, NULL, OPT_IDLE},
        {NULL, 0, NULL, 0},
    };
    int option;

    args_init(&args);
    args.path = "/slow?ms=200";
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        take(option, optarg);
    args_finish(&args);
    if (pid <= 1)
        args_usage("--pid is missing");
}

/* The answer of a connection on which the request has been sent. */
static bool read_answer(int fd)
{
    struct answer answer;
    char bytes[4096];
    ssize_t got;

    answer_begin(&answer, &question);
    while (answer.state < ANSWER_COMPLETE && (got = read(fd, bytes, sizeof bytes)) > 0)
        answer_feed(&answer, bytes, (size_t)got);
    return answer.state == ANSWER_COMPLETE;
}

static bool is_answered(int fd)
{
    if (kill(pid, signo) < 0)
        args_die("kill");
    return read_answer(fd);
}

/* A connection to which an answer is owed. */
static int ask(void)
{
    int fd = addr_connect(&args.addr, 0, args.timeout_ms);

    if (exchange_classify(fd) != CONNECT_OK ||
        !exchange_send(fd, question.request, question.request_len))
        args_usage("the server can't be asked");
    return fd;
}

/* Microseconds from the close of fd (-1: from the signal), or -1. */
static int64_t measure(int fd)
{
    struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
    int64_t began = args_now_us();
    int left_ms = (int)((args.deadline_us - began) / 1000);

    if (process.fd < 0)
        args_die("pidfd_open");
    if (fd >= 0)
        addr_close(&args.addr, fd, true);
    else if (kill(pid, signo) < 0)
        args_die("kill");
    return poll(&process, 1, left_ms > 0 ? left_ms : 0) == 1 ? args_now_us() - began : -1;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    args_question(&args, "slow 200 hello", "hello", &question);
    int fd = idle ? -1 : ask();
    bool answered = idle || is_answered(fd);
    int64_t us = measure(fd);

    printf("released_after_us %lld\n", (long long)us);
    if (!answered)
        fprintf(stderr, "release_clock: the answer was cut\n");
    question_free(&question);
    return answered && us >= 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
