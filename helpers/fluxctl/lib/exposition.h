/* SPDX-License-Identifier: MIT */
/* Prometheus' text format, 0.0.4, with names as OpenMetrics has them. */
/* Context: a program of one thread. */

/*
 *     exposition_group(out, "fluxshim_members", "gauge", "Processes that live.");
 *     const struct exposition_label labels[] = {{"pid", "12"}, {"name", name}};
 *     exposition_sample(out, "fluxshim_members", "3", labels, 2);
 *
 * All samples of a name follow their group, in one piece. Values of labels may be anything: backslash,
 * quote and newline are escaped, and what isn't UTF-8, or a control character, becomes U+FFFD.
 */
#ifndef FLUXCTL_LIB_EXPOSITION_H
#define FLUXCTL_LIB_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

void exposition_group(FILE *out, const char *name, const char *type, const char *help);

struct exposition_label {
    const char *name, *value;
};

void exposition_sample(FILE *out, const char *name, const char *value,
                       const struct exposition_label *labels, size_t count);

/* Numbers as values; of the rotating buffers of lib/text.h. */
const char *exposition_count(uint64_t value);
const char *exposition_seconds(int64_t ns);

#endif
