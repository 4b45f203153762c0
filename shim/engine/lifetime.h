/* SPDX-License-Identifier: MIT */
/* What a service has done over all its starts, as one checkpoint hands it to the next. */
/* Context: plain data. */
#ifndef FLUXSHIM_ENGINE_LIFETIME_H
#define FLUXSHIM_ENGINE_LIFETIME_H

#include <stdint.h>

/* A start that ended before any checkpoint was written is in none of them. */
struct lifetime {
    uint64_t starts;
    uint64_t stops; /* that came to their checkpoint */
    uint64_t accepted, drained, forced;
    uint64_t seconds; /* from arming to the checkpoint */
};

#endif
