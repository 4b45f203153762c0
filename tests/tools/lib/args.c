/* SPDX-License-Identifier: MIT */
/* The options that every client tool has. */
#define _GNU_SOURCE 1
#include "args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEADLINE_S = 20, TIMEOUT_MS = 5000 };

int64_t args_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void args_die(const char *what)
{
    perror(what);
    exit(2);
}

void args_usage(const char *problem)
{
    fprintf(stderr, "%s\n", problem);
    exit(EXIT_USAGE);
}

void args_init(struct args *args)
{
    *args = (struct args){
        .path = "/",
        .deadline_us = args_now_us() + DEADLINE_S * INT64_C(1000000),
        .timeout_ms = TIMEOUT_MS,
    };
}

static void take_address(struct args *args, const char *text)
{
    if (!addr_parse(text, &args->addr))
        args_usage("--connect: allowed are tcp4:PORT, tcp6:PORT and unix:PATH");
}

static void take_protocol(struct args *args, const char *name)
{
    if (strcmp(name, "http") != 0 && strcmp(name, "line") != 0)
        args_usage("--proto: allowed are http and line");
    args->line_protocol = strcmp(name, "line") == 0;
}

void args_take(struct args *args, int option, const char *value)
{
    if (option == ARGS_CONNECT)
        take_address(args, value);
    else if (option == ARGS_PROTO)
        take_protocol(args, value);
    else if (option == ARGS_PATH)
        args->path = value;
    else if (option == ARGS_SEND)
        args->send = value;
    else if (option == ARGS_EXPECT)
        args->expect = value;
    else if (option == ARGS_ANY)
        args->any = true;
    else if (option == ARGS_DEADLINE)
        args->deadline_us = args_now_us() + (int64_t)(atof(value) * 1e6);
    else if (option == ARGS_TIMEOUT)
        args->timeout_ms = atoi(value);
    else
        exit(EXIT_USAGE); /* getopt has said why */
}

void args_finish(struct args *args)
{
    if (args->addr.len == 0)
        args_usage("--connect is missing");
}

void args_question(const struct args *args, const char *line, const char *reply,
                   struct question *ret_question)
{
    if (!args->line_protocol)
        question_http(ret_question, args->path, args->expect);
    else if (args->send)
        question_line(ret_question, args->send, args->expect);
    else
        question_line(ret_question, line, args->expect ? args->expect : reply);
    if (args->any)
        question_accept_any(ret_question);
}
