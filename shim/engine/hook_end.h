/* SPDX-License-Identifier: MIT */
/* In words: how a hook came to its end. */
/* Context: arming and coordinator thread; never blocks. */
#ifndef FLUXSHIM_ENGINE_HOOK_END_H
#define FLUXSHIM_ENGINE_HOOK_END_H

#include <stddef.h>

#include "sigsafe/crash.h"

/*
 * The status for the record ("crashed" or "exited"), and behind it the reason: "SIGSEGV in cleanup",
 * "event called exit(3)". `call` is what was asked of it.
 */
const char *hook_end_status(const struct crash_mark *mark);
void hook_end_reason(const struct crash_mark *mark, const char *call, char *reason, size_t size);

#endif
