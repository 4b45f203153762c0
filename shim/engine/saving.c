/* SPDX-License-Identifier: MIT */
/* Fills in a record of a server that nothing stops, and writes it. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/saving.h"

#include "engine/audience.h"
#include "engine/checkpoint.h"
#include "engine/drain.h"
#include "engine/hooks.h"
#include "engine/shim.h"
#include "engine/state_files.h"

void saving_write(const char *reason)
{
    static struct record record; /* large: what isn't used of it is no memory */

    if (shim->settings->checkpoint[0] == '\0' || !shim->family_leads()) {
        return;
    }
    record.reason = reason;
    record.is_serving = true;
    drain_account(&record);
    hooks_save(&record, shim_now() + shim->settings->hook_timeout);
    state_files_account(&record);
    (void)checkpoint_write(&record);
    audience_end_saving();
}
