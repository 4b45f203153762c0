/* SPDX-License-Identifier: MIT */
/* Prometheus' text format, 0.0.4, with names as OpenMetrics has them. */
/* Context: a program of one thread. */

/*
 *     exposition_group(out, "fluxshim_members", "gauge", "Processes that live.");
 *     exposition_sample(out, "fluxshim_members", "3", "pid", "12", "name", name, NULL);
 *
 * All samples of a name follow their group, in one piece. Values of labels may be anything: backslash,
 * quote and newline are escaped, and what isn't UTF-8, or a control character, becomes U+FFFD.
 */
#ifndef FLUXCTL_LIB_EXPOSITION_H
#define FLUXCTL_LIB_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

void exposition_group(FILE *out, const char *name, const char *type, const char *help);

/* Pairs of label and value, then NULL. */
void exposition_sample(FILE *out, const char *name, const char *value, ...)
    __attribute__((__sentinel__));

/* Numbers as values; of the rotating buffers of lib/text.h. */
const char *exposition_count(uint64_t value);
const char *exposition_seconds(int64_t ns);

#endif
