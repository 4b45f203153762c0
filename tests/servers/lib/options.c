/* SPDX-License-Identifier: MIT */
/* The command line of every test server. */
#define _GNU_SOURCE 1
#include "options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

struct options opt;

enum { OPT_LISTEN = 1, OPT_BACKLOG, OPT_PROTO, OPT_SIGNAL, OPT_HELPER, OPT_ACCEPTORS, OPT_FLAG };

static const struct option long_options[] = {
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"backlog", required_argument, NULL, OPT_BACKLOG},
    {"proto", required_argument, NULL, OPT_PROTO},
    {"signal", required_argument, NULL, OPT_SIGNAL},
    {"helper", required_argument, NULL, OPT_HELPER},
    {"acceptors", required_argument, NULL, OPT_ACCEPTORS},
    {"listen-fds", no_argument, NULL, OPT_FLAG},
    {"reuseport", no_argument, NULL, OPT_FLAG},
    {"blocking-listener", no_argument, NULL, OPT_FLAG},
    {"late", no_argument, NULL, OPT_FLAG},
    {"readback", no_argument, NULL, OPT_FLAG},
    {"count-eintr", no_argument, NULL, OPT_FLAG},
    {"mask-workers", no_argument, NULL, OPT_FLAG},
    {"eager-read", no_argument, NULL, OPT_FLAG},
    {"watch-hangup", no_argument, NULL, OPT_FLAG},
    {"syscall-io", no_argument, NULL, OPT_FLAG},
    {"stdio", no_argument, NULL, OPT_FLAG},
    {NULL, 0, NULL, 0},
};

static const struct {
    const char *name;
    bool *value;
} flags[] = {
    {"listen-fds", &opt.listen_fds},
    {"reuseport", &opt.reuseport},
    {"blocking-listener", &opt.blocking_listener},
    {"late", &opt.late},
    {"readback", &opt.readback},
    {"count-eintr", &opt.count_eintr},
    {"mask-workers", &opt.mask_workers},
    {"eager-read", &opt.eager_read},
    {"watch-hangup", &opt.watch_hangup},
    {"syscall-io", &opt.syscall_io},
    {"stdio", &opt.stdio},
};

static void set_flag(const char *name)
{
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(flags[i].name, name) == 0)
            *flags[i].value = true;
}

static void add_listener(const char *spec)
{
    if (opt.listen_count == LISTENERS_MAX)
        die_usage("more than %d listeners", LISTENERS_MAX);
    opt.listen[opt.listen_count++] = spec;
}

static void set_protocol(const char *name)
{
    if (strcmp(name, "http") != 0 && strcmp(name, "line") != 0)
        die_usage("--proto %s: allowed are http and line", name);
    opt.line_protocol = strcmp(name, "line") == 0;
}

static void take(int option, const char *name, const char *value)
{
    switch (option) {
    case OPT_LISTEN:
        add_listener(value);
        break;
    case OPT_BACKLOG:
        opt.backlog = atoi(value);
        break;
    case OPT_PROTO:
        set_protocol(value);
        break;
    case OPT_SIGNAL:
        opt.signal_style = value;
        break;
    case OPT_HELPER:
        opt.helper = value;
        break;
    case OPT_ACCEPTORS:
        opt.acceptors = atoi(value);
        break;
    case OPT_FLAG:
        set_flag(name);
        break;
    default:
        exit(EXIT_USAGE); /* getopt has said why */
    }
}

void options_parse(int argc, char **argv, enum server_kind kind)
{
    int option, index = 0;

    opt.kind = kind;
    opt.backlog = 511;
    opt.signal_style = "default";
    while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1)
        take(option, long_options[index].name, optarg);
    if (optind < argc)
        die_usage("unexpected argument: %s", argv[optind]);
    if (opt.listen_count == 0 && !opt.listen_fds)
        add_listener("tcp4");
    if (opt.stdio && !(kind & (SERVER_THREADED | SERVER_SINGLE)))
        die_usage("--stdio needs a server with blocking connections");
}
