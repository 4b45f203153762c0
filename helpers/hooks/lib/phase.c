/* SPDX-License-Identifier: MIT */
/* The table of phases. */
/* Context: pure. */
#include "lib/phase.h"

#include <stddef.h>

const char *const phase_names[] = {
    [FLUX_PHASE_RUNNING] = "running",       [FLUX_PHASE_LAME_DUCK] = "lame_duck",
    [FLUX_PHASE_REFUSE] = "refuse",         [FLUX_PHASE_DRAIN] = "drain",
    [FLUX_PHASE_FORCE] = "force",           [FLUX_PHASE_HOOKS] = "hooks",
    [FLUX_PHASE_CHECKPOINT] = "checkpoint", [FLUX_PHASE_RELEASE] = "release",
    [FLUX_PHASE_RELEASE + 1] = NULL,
};

bool phase_is_due(int when, int phase)
{
    if (when == FLUX_PHASE_RUNNING || phase == FLUX_PHASE_RUNNING) {
        return when == phase;
    }
    return when <= phase;
}
