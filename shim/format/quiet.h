/* SPDX-License-Identifier: MIT */
/* In flight or idle: the rule, by what is known of a connection. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * engine/drain.h says what the rule is. The drain acts on it, and fluxctl shows it. Durations are
 * nanoseconds; the reasons are part of the checkpoint's format.
 */
#ifndef FLUXSHIM_FORMAT_QUIET_H
#define FLUXSHIM_FORMAT_QUIET_H

#include <stdbool.h>
#include <stdint.h>

#include "format/http1.h"
#include "format/process_tables.h"

#define QUIET_NEVER (-1) /* it is in flight, however long it has been quiet */

struct quiet_facts {
    enum evidence_state evidence;
    enum http1_answer answer;
    /* With EVIDENCE_NOTHING: input that passed no wrapper (stdio, io_uring), which TCP counts all the same. */
    bool has_received, sent_last;
};

/* How long it must have been quiet before it is idle, or QUIET_NEVER; and why. */
int64_t quiet_needed(const struct quiet_facts *facts, int64_t idle_ns, const char **ret_why);

#endif
