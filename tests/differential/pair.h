/* SPDX-License-Identifier: MIT */
/* Runs one program of steps bare and under the shim, and says whether both have seen the same. */
/* Context: the comparing program, which is never under the shim itself. */
#ifndef DIFFERENTIAL_PAIR_H
#define DIFFERENTIAL_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "steps.h"

/* What a run has left. */
struct pair_side {
    uint64_t hash, steps;
    int status; /* as of wait(2); -1: it did not end and was killed */
};

struct pair {
    struct pair_side bare, shimmed;
};

/* Make the folders for both under the working folder. `shim` may be "": then both run bare. */
void pair_prepare(const char *shim);

struct pair pair_run(const struct steps *steps);
bool pair_differs(const struct pair *pair);

/* Run again, each side `times` times: true if each differs from the other every time. */
bool pair_differs_surely(const struct steps *steps, int times);

/* Bare, and `times` times again: true if it isn't the same each time. */
bool pair_is_chance(const struct steps *steps, int times);

/* One side once more, with its trace to standard output. */
void pair_trace(const struct steps *steps, bool shimmed);

#endif
