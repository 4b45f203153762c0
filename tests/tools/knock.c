/* SPDX-License-Identifier: MIT */
/* Connects once, closes at once, and says what connect() said and how long that took. */
#define _GNU_SOURCE 1
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/args.h"
#include "lib/exchange.h"

/*
 *   knock --connect ADDR [--timeout-ms N]
 *
 * Prints `accepted US`, `refused US`, `lost US` or `timeout US`.
 */

int main(int argc, char **argv)
{
    static const struct option options[] = {ARGS_COMMON, {NULL, 0, NULL, 0}};
    static const char *const names[] = {[CONNECT_OK] = "accepted",
                                        [CONNECT_REFUSED] = "refused",
                                        [CONNECT_LOST] = "lost",
                                        [CONNECT_TIMEOUT] = "timeout"};
    struct args args;
    int option;

    args_init(&args);
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        args_take(&args, option, optarg);
    args_finish(&args);

    int64_t start_us = args_now_us();
    int fd = addr_connect(&args.addr, 0, args.timeout_ms);
    int64_t took_us = args_now_us() - start_us;

    printf("%s %lld\n", names[exchange_classify(fd)], (long long)took_us);
    if (fd >= 0)
        close(fd);
    return EXIT_SUCCESS;
}
