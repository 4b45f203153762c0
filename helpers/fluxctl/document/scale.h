/* SPDX-License-Identifier: MIT */
/* Time as a place on the axis, and where the axis has its marks. */
/* Context: a program of one thread; works on memory only. */
#ifndef FLUXCTL_DOCUMENT_SCALE_H
#define FLUXCTL_DOCUMENT_SCALE_H

#include <stddef.h>

#define SCALE_LEFT  172.0 /* of 960 */
#define SCALE_RIGHT 936.0

struct scale {
    double end_ms;  /* at SCALE_RIGHT; 0 is at SCALE_LEFT */
    double step_ms; /* from mark to mark */
};

struct scale scale_of(double end_ms);

/* Always within the axis, whatever the time. */
double scale_x(const struct scale *scale, double ms);

/* "0", "500 ms", "1.5 s", "2 min": short, and each in the unit of the step. */
void scale_label(const struct scale *scale, double ms, char *label, size_t size);

#endif
