/* SPDX-License-Identifier: MIT */
/* What follows the end of a descriptor. */
/* Context: AS-Safe, MT-Safe. */
#ifndef FLUXSHIM_WRAP_GONE_H
#define FLUXSHIM_WRAP_GONE_H

#include <stdint.h>

#include "sigsafe/family.h"
#include "wrap/wrap.h"

/* During a drain the coordinator waits for the last connection to go; in a sandbox there is none. */
static inline void has_gone(uint8_t kind)
{
    if (UNLIKELY(kind != 0 && atomic_load_explicit(&life->sandboxed, memory_order_relaxed))) {
        family_count();
    } else if (UNLIKELY(kind != 0) && UNLIKELY(life_draining())) {
        life_ring();
    }
}

#endif
