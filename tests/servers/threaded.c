/* SPDX-License-Identifier: MIT */
/* A server with a thread per connection and a blocking accept() in main. */
#define _GNU_SOURCE 1
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "lib/blocking.h"
#include "lib/server.h"
#include "lib/siginstall.h"
#include "lib/sigstyle.h"
#include "lib/stop.h"
#include "lib/util.h"

enum { STACK_SIZE = 256 * 1024 };

static struct listeners listeners;
static pthread_attr_t detached; /* written before the first thread */

static void *serve_connection(void *fd)
{
    sigset_t set;

    if (opt.mask_workers) {
        siginstall_fill(&set);
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    blocking_serve((int)(intptr_t)fd);
    return NULL;
}

static void start_thread(void *(*body)(void *), void *argument)
{
    const struct timespec a_moment = {.tv_nsec = 1000000};
    pthread_t thread;

    while (pthread_create(&thread, &detached, body, argument) != 0)
        nanosleep(&a_moment, NULL);
}

static void *accept_forever(void *unused)
{
    for (;;)
        start_thread(serve_connection, (void *)(intptr_t)blocking_accept(&listeners));
    return unused;
}

int main(int argc, char **argv)
{
    server_start(argc, argv, SERVER_THREADED, &listeners);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&detached, STACK_SIZE);
    for (int i = 0; i < opt.acceptors + sigstyle_suspends(); i++)
        start_thread(accept_forever, NULL);
    server_ready();
    while (sigstyle_suspends()) {
        stop_check();
        sigstyle_suspend();
    }
    accept_forever(NULL);
}
