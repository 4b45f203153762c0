/* SPDX-License-Identifier: MIT */
/* The start of every test server: options, signals and listeners, in that order. */
#define _GNU_SOURCE 1
#include "server.h"

#include <signal.h>

#include "sigstyle.h"
#include "util.h"

void server_start(int argc, char **argv, enum server_kind kind, struct listeners *ret_listeners)
{
    const enum server_kind blocking = SERVER_THREADED | SERVER_SINGLE;

    options_parse(argc, argv, kind);
    sigstyle_choose();
    signal(SIGPIPE, SIG_IGN);
    sigstyle_before_listen();
    ret_listeners->count = 0;
    listeners_open(ret_listeners, !(kind & blocking) && !opt.blocking_listener);
    sigstyle_after_listen();
    listeners_print(ret_listeners);
}

void server_ready(void)
{
    say("ready");
}
