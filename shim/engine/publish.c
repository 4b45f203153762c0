/* SPDX-License-Identifier: MIT */
/* Writes into the family's memory, and reads nothing back. */
/* Context: coordinator thread only; never blocks. */
#include "engine/publish.h"

#include <bsd/string.h>
#include <string.h>

#include "engine/checkpoint.h"
#include "engine/shim.h"
#include "fluxshim.h"

_Static_assert(FAMILY_PHASES == FLUX_PHASE_RELEASE + 1, "a time for each phase");

/* NULL unless this process is the family's owner. */
static struct family_layout *ours(void)
{
    return shim->family_self() && shim->family_leads() ? *shim->family : NULL;
}

static enum family_reason reason_of(const struct record *record)
{
    if (record->signo == 0) {
        return record->reason && strcmp(record->reason, "exit") == 0 ? FAMILY_EXIT
                                                                     : FAMILY_NO_REASON;
    }
    return strcmp(record->reason, "demand") == 0 ? FAMILY_DEMAND : FAMILY_SIGNAL;
}

static void publish_cause(struct family_stop *stop, const struct record *record)
{
    atomic_store(&stop->signo, record->signo);
    atomic_store(&stop->sender_pid, record->si_code <= 0 ? record->sender_pid : 0);
    atomic_store(&stop->sender_uid, record->sender_uid);
    atomic_store(&stop->second, record->second_signal);
    atomic_store(&stop->reason, reason_of(record));
}

static int64_t end_of(const struct fsm *fsm)
{
    return fsm->limits.shutdown > FSM_NEVER - fsm->began ? FSM_NEVER
                                                         : fsm->began + fsm->limits.shutdown;
}

void publish_state(const struct fsm *fsm, const struct record *record)
{
    uint32_t phase = fsm->state < FSM_RELEASE ? (uint32_t)fsm->state : FLUX_PHASE_RELEASE;
    struct family_layout *shown = ours();

    if (shim->family_self()) {
        atomic_store(&shim->family_self()->phase, phase);
    }
    if (!shown) {
        return;
    }
    publish_cause(&shown->stop, record);
    atomic_store(&shown->stop.entered_ns[phase], fsm->entered);
    atomic_store(&shown->stop.deadline_ns, fsm_deadline(fsm));
    atomic_store(&shown->stop.end_ns, end_of(fsm));
    atomic_store(&shown->stop.phase, phase); /* last: who sees it sees the rest */
}

void publish_left(uint64_t left)
{
    struct family_layout *shown = ours();

    if (!shown) {
        return;
    }
    if (atomic_load(&shown->stop.left_at_signal) < left) { /* the members answer one by one */
        atomic_store(&shown->stop.left_at_signal, left);
    }
    atomic_store(&shown->stop.left, left);
}

void publish_account(const struct record *record)
{
    struct family_layout *shown = ours();

    if (shown) {
        atomic_store(&shown->stop.drained, record->connections.drained);
        atomic_store(&shown->stop.nudged, record->connections.nudged);
        atomic_store(&shown->stop.forced, record->connections.forced);
    }
}

void publish_hook(size_t index, size_t count, const char *name)
{
    struct family_layout *shown = ours();

    if (shown) {
        strlcpy((char *)shown->stop.hook_name, name, FAMILY_NAME);
        atomic_store(&shown->stop.hooks, (uint32_t)count);
        atomic_store(&shown->stop.hook, (uint32_t)index + 1);
    }
}

void publish_generation(void)
{
    struct family_layout *shown = ours();

    if (shown) {
        atomic_store(&shown->saving.generation, checkpoint_generation());
    }
}

void publish_saved(int result)
{
    struct family_layout *shown = ours();

    publish_generation();
    if (shown) {
        atomic_store(&shown->saving.error, result);
        atomic_fetch_add(&shown->saving.saves, 1); /* last: who waits for it looks at the rest */
    }
}
