/* SPDX-License-Identifier: MIT */
/* A program of random steps: made from a seed, kept as text, executed or cut down. */
/* Context: pure, but for the file functions. */

/*
 * A step is the name of a call and four random numbers. What they mean is decided when it is executed
 * (calls.h): `read 7 1 0 0` reads from the seventh of the descriptors that are open then. So any part
 * of a program is a program too, which is what shrinking needs.
 *
 * As text: one step a line, `NAME A B C D`, and lines that begin with #.
 */
#ifndef DIFFERENTIAL_STEPS_H
#define DIFFERENTIAL_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STEPS_MOST = 4096 };

struct step {
    unsigned call; /* a row of the table of calls */
    uint32_t a, b, c, d;
};

struct steps {
    size_t count;
    struct step step[STEPS_MOST];
};

void steps_generate(struct steps *steps, uint64_t seed, size_t count);

/* False if the file can't be read or has a line that isn't a step. */
bool steps_read(struct steps *steps, const char *path);
bool steps_write(const struct steps *steps, const char *path);

#endif
