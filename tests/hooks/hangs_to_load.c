/* SPDX-License-Identifier: MIT */
/* A shared object whose loading never ends: for hooks/acts.c. */
#include <unistd.h>

static void __attribute__((constructor)) hang(void)
{
    for (;;) {
        (void)pause();
    }
}
