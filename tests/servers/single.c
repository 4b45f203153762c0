/* SPDX-License-Identifier: MIT */
/* A single-threaded server that serves one connection at a time, with blocking calls only. */
#define _GNU_SOURCE 1
#include "lib/blocking.h"
#include "lib/server.h"

int main(int argc, char **argv)
{
    struct listeners listeners;

    server_start(argc, argv, SERVER_SINGLE, &listeners);
    server_ready();
    for (;;)
        blocking_serve(blocking_accept(&listeners));
}
