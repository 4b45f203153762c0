/* SPDX-License-Identifier: MIT */
/* Opens listeners and runs a server with them, as socket activation does. */
#define _GNU_SOURCE 1
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/args.h"

/*
 *   activate ADDR... -- COMMAND ARGUMENT...
 *
 * The listeners become descriptors 3, 4, .. and LISTEN_FDS and LISTEN_PID name them, as
 * sd_listen_fds(3) has it. The port of tcp4:0 is one that is free. To preload a library into the
 * server alone, let the command be `env LD_PRELOAD=... server`.
 */

enum { FIRST_FD = 3, PARK_FD = 64 };

static int listen_on(const char *text)
{
    struct addr addr;

    if (!addr_parse(text, &addr))
        args_usage("activate: allowed are tcp4:PORT, tcp6:PORT and unix:PATH");
    int fd = addr_listen(&addr);
    if (fd < 0)
        args_die(text);
    return fd;
}

/* By way of a high number: a low one may be in use by another listener. */
static void place_all(char **texts, int count)
{
    int parked[FIRST_FD + PARK_FD];

    for (int i = 0; i < count; i++) {
        int fd = listen_on(texts[i]);
        parked[i] = fcntl(fd, F_DUPFD_CLOEXEC, PARK_FD);
        close(fd);
    }
    for (int i = 0; i < count; i++)
        if (dup2(parked[i], FIRST_FD + i) < 0)
            args_die("dup2");
}

static void put_number(const char *name, long value)
{
    char text[32];

    snprintf(text, sizeof text, "%ld", value);
    setenv(name, text, 1);
}

int main(int argc, char **argv)
{
    if (getopt(argc, argv, "+") != -1)
        args_usage("activate ADDR... -- COMMAND ARGUMENT...");
    int end = optind;
    while (end < argc && argv[end][0] != '-')
        end++;
    int count = end - optind;
    if (count < 1 || count >= PARK_FD - FIRST_FD || end + 1 >= argc)
        args_usage("activate ADDR... -- COMMAND ARGUMENT...");
    place_all(argv + optind, count);
    put_number("LISTEN_FDS", count);
    put_number("LISTEN_PID", getpid());
    execvp(argv[end + 1], argv + end + 1);
    args_die(argv[end + 1]);
}
