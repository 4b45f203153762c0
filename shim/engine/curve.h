/* SPDX-License-Identifier: MIT */
/* How many connections were left, over the time of a drain, in as many points as there is room for. */
/* Context: coordinator thread only; works on memory only, never allocates or blocks. */

/*
 *     curve_add(&curve, ns_since_the_signal, left);      at each sweep
 *     curve_end(&curve, ns_since_the_signal, left);
 *
 * Between two points the number is that of the first of them: steps, not slopes. A drain may last an hour and sweep a
 * thousand times a second, so when the room is used up every second point goes, and from then on
 * points are at least twice as far apart. The first point stays, and the last one is always the end.
 */
#ifndef FLUXSHIM_ENGINE_CURVE_H
#define FLUXSHIM_ENGINE_CURVE_H

#include <stddef.h>
#include <stdint.h>

#define CURVE_POINTS 256

struct curve_point {
    int64_t at_ns;
    uint64_t left;
};

struct curve {
    struct curve_point points[CURVE_POINTS];
    size_t count;
    int64_t apart_ns; /* points are not closer; 0: the least */
};

void curve_add(struct curve *curve, int64_t at_ns, uint64_t left);
void curve_end(struct curve *curve, int64_t at_ns, uint64_t left);

#endif
