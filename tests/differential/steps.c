/* SPDX-License-Identifier: MIT */
/* Making, reading and writing a program of steps. */
/* Context: pure, but for the file functions. */
#include "steps.h"

#include <inttypes.h>
#include <stdio.h>

#include "calls.h"

/* splitmix64: every seed is as good as any other. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned weighted(uint64_t random)
{
    unsigned sum = calls[0].weight, row = 0;

    for (unsigned i = 1; i < calls_count; i++)
        sum += calls[i].weight;
    for (unsigned left = (unsigned)(random % sum); left >= calls[row].weight; row++)
        left -= calls[row].weight;
    return row;
}

void steps_generate(struct steps *steps, uint64_t seed, size_t count)
{
    steps->count = count < STEPS_MOST ? count : STEPS_MOST;
    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = &steps->step[i];

        step->call = weighted(next_random(&seed));
        step->a = (uint32_t)next_random(&seed) % 100000;
        step->b = (uint32_t)next_random(&seed) % 100000;
        step->c = (uint32_t)next_random(&seed) % 100000;
        step->d = (uint32_t)next_random(&seed) % 100000;
    }
}

static bool parse(const char *line, struct step *ret_step)
{
    char name[32];
    struct step step;

    if (sscanf(line, "%31s %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32, name, &step.a, &step.b,
               &step.c, &step.d) != 5 ||
        !calls_find(name, &step.call))
        return false;
    *ret_step = step;
    return true;
}

bool steps_read(struct steps *steps, const char *path)
{
    char line[128];
    FILE *file = fopen(path, "re");
    bool good = file != NULL;

    steps->count = 0;
    while (good && fgets(line, sizeof line, file)) {
        if (line[0] != '#')
            good = steps->count < STEPS_MOST && parse(line, &steps->step[steps->count++]);
    }
    if (file)
        fclose(file);
    return good;
}

bool steps_write(const struct steps *steps, const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file)
        return false;
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->step[i];

        fprintf(file, "%s %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 "\n",
                calls[step->call].name, step->a, step->b, step->c, step->d);
    }
    return fclose(file) == 0;
}
