/* SPDX-License-Identifier: MIT */
/* Fills in a record of a server that nothing stops, and writes it. */
/* Context: coordinator thread only; may allocate and block. */
#include "engine/saving.h"

#include <string.h>

#include "engine/audience.h"
#include "engine/checkpoint.h"
#include "engine/drain.h"
#include "engine/hooks.h"
#include "engine/publish.h"
#include "engine/shim.h"
#include "engine/state_files.h"

/* Rows are written anew each time: only what counts them is to be cleared. */
static void forget(struct record *record)
{
    record->reason = NULL;
    record->is_serving = false;
    record->listener_count = record->hook_count = record->file_count = 0;
    memset(&record->connections, 0, sizeof(record->connections));
}

void saving_write(struct record *record, const char *reason)
{
    if (shim->settings->checkpoint[0] == '\0' || !shim->family_leads()) {
        return;
    }
    record->reason = reason;
    record->is_serving = true;
    drain_account(record);
    hooks_save(record, shim_now() + shim->settings->hook_timeout);
    state_files_account(record);
    publish_saved(checkpoint_write(record));
    audience_end_saving();
    forget(record);
}
