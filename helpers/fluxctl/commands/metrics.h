/* SPDX-License-Identifier: MIT */
/* What fluxctl metrics tells of: the table of its figures is in metrics_table.c. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_COMMANDS_METRICS_H
#define FLUXCTL_COMMANDS_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "family/connections.h"
#include "family/view.h"

struct server {
    struct family_view view;
    pid_t leader;
    struct process process; /* of the leader */
    char pid[16];
    bool is_readable; /* its sockets */
    struct connections connections;
    int64_t now_ns;
};

struct servers {
    struct server *rows;
    size_t count, room;
};

void metrics_print(FILE *out, const struct servers *servers);

#endif
