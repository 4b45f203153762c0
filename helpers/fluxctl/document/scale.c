/* SPDX-License-Identifier: MIT */
/* Finds round steps. */
/* Context: a program of one thread; works on memory only. */
#include "document/scale.h"

#include <stdio.h>

#define MARKS_MOST 8
#define END_LEAST  0.01 /* a stop takes some time */
#define SECOND     1000.0
#define MINUTE     (60 * SECOND)
#define HOUR       (60 * MINUTE)

/* 1, 2, 5 times a power of ten, but for minutes and hours. */
static double next_step(double step)
{
    static const double rounds[] = {10 * SECOND, 20 * SECOND, 30 * SECOND, MINUTE,      2 * MINUTE,
                                    5 * MINUTE,  10 * MINUTE, 20 * MINUTE, 30 * MINUTE, HOUR};
    double power = 0.001;

    for (size_t i = 0; step >= 10 * SECOND && i < sizeof(rounds) / sizeof(rounds[0]); i++) {
        if (rounds[i] > step) {
            return rounds[i];
        }
    }
    if (step >= HOUR) {
        return 2 * step;
    }
    while (power * 9.99 < step) {
        power *= 10;
    }
    return step < power * 1.99 ? 2 * power : step < power * 4.99 ? 5 * power : 10 * power;
}

struct scale scale_of(double end_ms)
{
    struct scale scale = {.end_ms = end_ms > END_LEAST ? end_ms : END_LEAST, .step_ms = 0.001};

    while (scale.end_ms / scale.step_ms > MARKS_MOST) {
        scale.step_ms = next_step(scale.step_ms);
    }
    return scale;
}

double scale_x(const struct scale *scale, double ms)
{
    double part = ms / scale->end_ms;

    return SCALE_LEFT + (part > 0 ? part < 1 ? part : 1 : 0) * (SCALE_RIGHT - SCALE_LEFT);
}

void scale_label(const struct scale *scale, double ms, char *label, size_t size)
{
    if (ms < scale->step_ms / 2) {
        (void)snprintf(label, size, "0");
    } else if (scale->step_ms >= HOUR) {
        (void)snprintf(label, size, "%.10g h", ms / HOUR);
    } else if (scale->step_ms >= MINUTE) {
        (void)snprintf(label, size, "%.10g min", ms / MINUTE);
    } else if (scale->end_ms >= SECOND) {
        (void)snprintf(label, size, "%.6g s", ms / SECOND);
    } else {
        (void)snprintf(label, size, "%.6g ms", ms);
    }
}
