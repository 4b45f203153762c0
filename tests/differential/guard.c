/* SPDX-License-Identifier: MIT */
/* The alarm that ends a wait. */
/* Context: the program that is compared. */
#include "guard.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

enum { GUARD_US = 300 };

static void on_alarm(int signo)
{
    (void)signo;
}

void guard_install(void)
{
    struct sigaction action = {.sa_handler = on_alarm};

    sigaction(SIGALRM, &action, NULL);
}

static void every(long us)
{
    struct itimerval timer = {{0, us}, {0, us}};

    setitimer(ITIMER_REAL, &timer, NULL);
}

void guard_begin(void)
{
    every(GUARD_US);
}

void guard_end(void)
{
    every(0);
}
