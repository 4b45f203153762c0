/* SPDX-License-Identifier: MIT */
/* The options that every client tool has. */
#ifndef TOOLS_ARGS_H
#define TOOLS_ARGS_H

/*
 * A tool puts ARGS_COMMON in front of its own long options, numbers those from ARGS_FIRST_OWN, and
 * passes the others to args_take():
 *
 *   --connect ADDR      see addr.h
 *   --proto http|line   http
 *   --path PATH         what HTTP asks for
 *   --send LINE         what the line protocol asks for
 *   --expect TEXT       the body, or the line, that must come back
 *   --any               any complete answer will do
 *   --deadline S        20; nothing lives longer
 *   --timeout-ms N      5000; for each connect, read and write
 */

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "addr.h"
#include "answer.h"

enum {
    ARGS_CONNECT = 1,
    ARGS_PROTO,
    ARGS_PATH,
    ARGS_SEND,
    ARGS_EXPECT,
    ARGS_ANY,
    ARGS_DEADLINE,
    ARGS_TIMEOUT,
    ARGS_FIRST_OWN,
};

#define ARGS_COMMON                                                                                \
    {"connect", required_argument, NULL, ARGS_CONNECT},                                            \
        {"proto", required_argument, NULL, ARGS_PROTO},                                            \
        {"path", required_argument, NULL, ARGS_PATH},                                              \
        {"send", required_argument, NULL, ARGS_SEND},                                              \
        {"expect", required_argument, NULL, ARGS_EXPECT}, {"any", no_argument, NULL, ARGS_ANY},    \
        {"deadline", required_argument, NULL, ARGS_DEADLINE},                                      \
    {                                                                                              \
        "timeout-ms", required_argument, NULL, ARGS_TIMEOUT                                        \
    }

struct args {
    struct addr addr;
    bool line_protocol;
    const char *path;
    const char *send;
    const char *expect;
    bool any;
    int64_t deadline_us; /* on the clock of args_now_us() */
    int timeout_ms;
};

enum { EXIT_USAGE = 64 };

void args_init(struct args *args);
void args_take(struct args *args, int option, const char *value);

/* To be called after the last option: checks that there is an address. */
void args_finish(struct args *args);

/* What to ask. In the line protocol `line` and `reply` are used unless --send names others. */
void args_question(const struct args *args, const char *line, const char *reply,
                   struct question *ret_question);

int64_t args_now_us(void);
void args_die(const char *what) __attribute__((noreturn));
void args_usage(const char *problem) __attribute__((noreturn));

#endif
