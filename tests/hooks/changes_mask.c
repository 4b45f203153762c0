/* SPDX-License-Identifier: MIT */
/* A hook that blocks every signal for a moment, as libraries do, and puts its mask back. */
#include <pthread.h>
#include <signal.h>

#include "fluxshim.h"

int flux_cleanup(void)
{
    sigset_t all, old;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &old);
    return pthread_sigmask(SIG_SETMASK, &old, NULL);
}
