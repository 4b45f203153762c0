/* SPDX-License-Identifier: MIT */
/* Keeps a bounded number of points, and thins them when there are more. */
/* Context: coordinator thread only; works on memory only, never allocates or blocks. */
#include "engine/curve.h"

#define APART_LEAST_NS INT64_C(1000000)

/* Of two neighbours the time of the first and the number of the second: no fall is told late. */
static void thin(struct curve *curve)
{
    size_t kept = 1;

    for (size_t i = 1; i < curve->count; i += 2) {
        size_t last = i + 1 < curve->count ? i + 1 : i;

        curve->points[kept++] =
            (struct curve_point){curve->points[i].at_ns, curve->points[last].left};
    }
    int64_t mean = (curve->points[kept - 1].at_ns - curve->points[0].at_ns) / (int64_t)kept;

    curve->count = kept;
    curve->apart_ns = 2 * curve->apart_ns > mean ? 2 * curve->apart_ns : mean;
}

static void append(struct curve *curve, int64_t at_ns, uint64_t left)
{
    if (curve->apart_ns == 0) {
        curve->apart_ns = APART_LEAST_NS;
    }
    if (curve->count == CURVE_POINTS) {
        thin(curve);
    }
    curve->points[curve->count++] = (struct curve_point){at_ns, left};
}

void curve_add(struct curve *curve, int64_t at_ns, uint64_t left)
{
    struct curve_point *last = curve->count > 0 ? &curve->points[curve->count - 1] : NULL;

    if (last && left == last->left) {
        return;
    }
    if (curve->count > 1 && at_ns - last->at_ns < curve->apart_ns) {
        last->left = left;
    } else {
        append(curve, last && at_ns < last->at_ns ? last->at_ns : at_ns, left);
    }
}

void curve_end(struct curve *curve, int64_t at_ns, uint64_t left)
{
    const struct curve_point *last = curve->count > 0 ? &curve->points[curve->count - 1] : NULL;

    append(curve, last && at_ns < last->at_ns ? last->at_ns : at_ns, left);
}
