/* SPDX-License-Identifier: MIT */
/* What every file of interposed names needs. */
/* Context: the contract of each wrapped call is the call's own: errno, cancellation, AS-safety. */
#ifndef FLUXSHIM_WRAP_WRAP_H
#define FLUXSHIM_WRAP_WRAP_H

#include <errno.h>
#include <stddef.h>

#include "sigsafe/life.h"
#include "sigsafe/real.h"

/* Only what carries this leaves the object; scripts/exports.txt is the list. */
#define WRAP __attribute__((visibility("default")))

#define ALWAYS_INLINE __attribute__((always_inline))
#define NOINLINE      __attribute__((noinline))
#define COLD          __attribute__((noinline, cold))

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
