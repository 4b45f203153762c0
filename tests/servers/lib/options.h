/* SPDX-License-Identifier: MIT */
/* The command line of every test server. */
#ifndef SERVERS_OPTIONS_H
#define SERVERS_OPTIONS_H

#include <stdbool.h>

/* Which server this is; a bit each, so that a signal style can name those it works in. */
enum server_kind {
    SERVER_THREADED = 1,
    SERVER_SINGLE = 2,
    SERVER_EPOLL = 4,
    SERVER_POLL = 8,
    SERVER_SELECT = 16,
};

enum { LISTENERS_MAX = 16 };

struct options {
    enum server_kind kind;
    const char *listen[LISTENERS_MAX]; /* --listen, in order */
    int listen_count;
    bool listen_fds; /* also take LISTEN_FDS */
    int backlog;
    bool reuseport;
    bool blocking_listener; /* event-driven servers only; the others always block */
    bool line_protocol;
    const char *signal_style;
    bool late; /* apply the signal style after listen() */
    bool readback;
    bool count_eintr;
    int acceptors;     /* threaded: threads beside main that accept too */
    bool mask_workers; /* connection threads block SIGTERM and SIGINT */
    bool eager_read;   /* event-driven: try to read after each response */
    bool watch_hangup; /* event-driven: read while answering, and close at EOF */
    bool syscall_io;
    bool stdio; /* threaded and single only */
    const char *helper;
};

/* Written once by options_parse, before any thread exists. */
extern struct options opt;

/* Exits with EXIT_USAGE on anything it does not understand. */
void options_parse(int argc, char **argv, enum server_kind kind);

#endif
