/* SPDX-License-Identifier: MIT */
/* Compares programs of random steps, run bare and under the shim. */
/* Context: a program; the compared ones are this one again, by exec. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "calls.h"
#include "pair.h"
#include "run.h"
#include "shrink.h"

/*
 *   differential search SHIM SECONDS SEED STEPS      cases from this seed on, until the time is over
 *   differential generate SEED STEPS FILE            the steps of a seed, as text
 *   differential compare SHIM FILE                   once; status 1 if they differ
 *   differential shrink SHIM FILE OUT
 *   differential trace SHIM FILE                     one run, with all that it sees; SHIM may be ""
 *
 * SHIM is a path to preload, or "" to compare bare with bare. Works in the current folder.
 *
 * search prints `differs SEED` for a case that differs three times of three while bare is the same five
 * times of five, `unsure SEED` for any other, and at the end `N cases, N steps, N differ, N unsure`. The status is 1 if any differs.
 */

static struct steps steps;

static int usage(void)
{
    fprintf(stderr, "differential: see the top of its main.c\n");
    return 2;
}

struct sums {
    unsigned long cases, steps, differ, unsure;
};

static void search_one(uint64_t seed, size_t count, struct sums *sums)
{
    steps_generate(&steps, seed, count);
    struct pair pair = pair_run(&steps);

    sums->cases++;
    sums->steps += pair.bare.steps;
    if (!pair_differs(&pair))
        return;
    bool sure = pair_differs_surely(&steps, 2) && !pair_is_chance(&steps, 4);

    sums->differ += sure;
    sums->unsure += !sure;
    printf("%s %lu\n", sure ? "differs" : "unsure", (unsigned long)seed);
    fflush(stdout);
}

static int search(char **arguments)
{
    time_t end = time(NULL) + strtol(arguments[0], NULL, 10);
    uint64_t seed = strtoull(arguments[1], NULL, 10);
    size_t count = strtoul(arguments[2], NULL, 10);
    struct sums sums = {0};

    do {
        search_one(seed++, count, &sums);
    } while (time(NULL) < end);
    printf("%lu cases, %lu steps, %lu differ, %lu unsure\n", sums.cases, sums.steps, sums.differ,
           sums.unsure);
    return sums.differ > 0;
}

static int compare(void)
{
    struct pair pair = pair_run(&steps);

    printf("bare: %lu steps, status %d; shimmed: %lu steps, status %d\n",
           (unsigned long)pair.bare.steps, pair.bare.status, (unsigned long)pair.shimmed.steps,
           pair.shimmed.status);
    return pair_differs(&pair);
}

static int with_file(const char *command, int argc, char **argv)
{
    if (!steps_read(&steps, argv[3])) {
        fprintf(stderr, "differential: %s has no steps that can be read\n", argv[3]);
        return 2;
    }
    if (strcmp(command, "compare") == 0)
        return compare();
    if (strcmp(command, "trace") == 0) {
        pair_trace(&steps, argv[2][0] != '\0');
        return 0;
    }
    if (strcmp(command, "shrink") == 0 && argc == 5) {
        shrink(&steps);
        return steps_write(&steps, argv[4]) ? 0 : 2;
    }
    return usage();
}

int main(int argc, char **argv)
{
    struct run_arguments arguments;

    if (argc == 7 && strcmp(argv[1], "again") == 0 && run_parse(argv + 2, &arguments))
        return run_steps(&arguments);
    if (argc == 5 && strcmp(argv[1], "generate") == 0) {
        steps_generate(&steps, strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
        return steps_write(&steps, argv[4]) ? 0 : 2;
    }
    if (argc < 4)
        return usage();
    pair_prepare(argv[2]);
    return argc == 6 && strcmp(argv[1], "search") == 0 ? search(argv + 3)
                                                       : with_file(argv[1], argc, argv);
}
