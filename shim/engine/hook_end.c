/* SPDX-License-Identifier: MIT */
/* Turns a crash mark into a status and a reason. */
/* Context: arming and coordinator thread; never blocks. */
#include "engine/hook_end.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_abort(const struct crash_mark *mark)
{
    return atomic_load(&mark->how) == CRASH_CALL && strcmp(mark->call, "abort") == 0;
}

const char *hook_end_status(const struct crash_mark *mark)
{
    return atomic_load(&mark->how) == CRASH_SIGNAL || is_abort(mark) ? "crashed" : "exited";
}

void hook_end_reason(const struct crash_mark *mark, const char *call, char *reason, size_t size)
{
    if (atomic_load(&mark->how) == CRASH_SIGNAL) {
        const char *name = sigabbrev_np(mark->detail);

        snprintf(reason, size, "SIG%s in %s", name ? name : "?", call);
    } else if (mark->detail >= 0) {
        snprintf(reason, size, "%s called %s(%d)", call, mark->call, mark->detail);
    } else {
        snprintf(reason, size, "%s%s called %s()", is_abort(mark) ? "SIGABRT: " : "", call,
                 mark->call);
    }
}
