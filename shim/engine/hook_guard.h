/* SPDX-License-Identifier: MIT */
/* Calls a hook in the program's own thread, and comes back also if it crashes there. */
/* Context: while arming, in the program's thread; blocks as long as the hook does. */

/*
 * While a program arms it may have one thread only, and none may be made (DESIGN.md section 3), so
 * init, restore and the first event run in that thread. It is the program's afterwards: its mask,
 * its alternate stack and the dispositions of the signals that the shim is about to manage are put
 * back whatever the hook did to them. What a hook that crashed has locked stays locked.
 *
 * An exception of C++ ends here too: this file is compiled without unwind tables, so the search for
 * a handler ends at it, which means std::terminate() and so abort(), and never reaches the program's.
 */
#ifndef FLUXSHIM_ENGINE_HOOK_GUARD_H
#define FLUXSHIM_ENGINE_HOOK_GUARD_H

#include <setjmp.h>
#include <stdbool.h>

#include "sigsafe/crash.h"

struct hook_guard {
    struct crash_mark mark; /* says what happened where the call didn't return */
    sigjmp_buf back;
};

/* True if body(argument) has returned. `name` is the hook's. */
bool hook_guard_call(struct hook_guard *guard, const char *name, void (*body)(void *),
                     void *argument);

#endif
