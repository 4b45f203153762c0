/* SPDX-License-Identifier: MIT */
/* A cleanup hook to copy: notes in a file, or on stderr, that the server has stopped. */

/*
 *     cc -std=c99 -shared -fPIC -Wall -I shim -o my_hook.so my_hook.c
 *     LD_PRELOAD=build/libfluxshim.so FLUX_HOOKS=./my_hook.so MY_HOOK_FILE=/tmp/stops ./server
 *
 * flux_cleanup is called once, when the last connection has ended and before the server gets its
 * signal: whatever must be tidy when the server is gone is put in order here.
 */
#define _POSIX_C_SOURCE 200809L

#include "fluxshim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* 0 if all went well; any other number is a failure and stands in the checkpoint. */
int flux_cleanup(void)
{
    const char *path = getenv("MY_HOOK_FILE");
    FILE *file = path ? fopen(path, "a") : stderr;
    int failed;

    if (!file) {
        return errno;
    }
    failed = fprintf(file, "my_hook: process %ld stopped at %ld\n", (long)getpid(),
                     (long)time(NULL)) < 0;
    if (file != stderr) {
        failed |= fclose(file) != 0;
    }
    return failed ? EIO : 0;
}
