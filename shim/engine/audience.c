/* SPDX-License-Identifier: MIT */
/* Makes an event of each state, and sends it round. */
/* Context: coordinator thread only; may allocate, blocks for a moment at the end. */
#include "engine/audience.h"

#include <stdatomic.h>

#include "engine/drain.h"
#include "engine/hooks.h"
#include "engine/members.h"
#include "engine/shim.h"
#include "engine/subscribers.h"
#include "fluxshim.h"

#define MS            1000000ll
#define TELL_AGAIN_NS (1000 * MS)
#define FAREWELL_NS   (200 * MS) /* what they have for their last events */

_Static_assert((int)FSM_RELEASE == (int)FLUX_PHASE_RELEASE, "the states begin with the phases");

static int64_t tell_at_ns; /* when the drain is told of again */

enum hooks_ours audience_ours(void)
{
    return shim->family_leads() ? HOOKS_ALL : HOOKS_OF_PROCESS;
}

static uint64_t ms_until(int64_t deadline, int64_t now)
{
    return deadline == FSM_NEVER ? UINT64_MAX
           : deadline > now      ? (uint64_t)(deadline - now) / MS
                                 : 0;
}

static int64_t end_of(const struct fsm *fsm)
{
    int64_t shutdown = fsm->limits.shutdown;

    return shutdown > FSM_NEVER - fsm->began ? FSM_NEVER : fsm->began + shutdown;
}

static uint32_t phase_of(const struct fsm *fsm)
{
    return fsm->state < FSM_RELEASE ? (uint32_t)fsm->state : FLUX_PHASE_RELEASE;
}

static void tell(const struct fsm *fsm, int64_t now, bool repeated)
{
    tell_at_ns = now + TELL_AGAIN_NS;
    if (!hooks_hear(audience_ours()) && !shim->subscribers_first()) {
        return; /* nobody needs a count of what may be thousands */
    }
    struct flux_event event = {
        .size = sizeof(event),
        .phase = phase_of(fsm),
        .connections_left = drain_count() + members_left(),
        .elapsed_ms = (uint64_t)(now - fsm->began) / MS,
        .remaining_ms = ms_until(fsm_deadline(fsm), now),
        .shutdown_ms = ms_until(end_of(fsm), now),
    };

    hooks_tell(&event, audience_ours(), repeated);
    subscribers_tell(&event, repeated);
}

void audience_tell(const struct fsm *fsm, int64_t now)
{
    atomic_store(&shim->life->phase, phase_of(fsm));
    tell(fsm, now, false);
}

void audience_tell_again(const struct fsm *fsm, int64_t now)
{
    if (now >= tell_at_ns) {
        tell(fsm, now, true);
    }
}

int64_t audience_next_ns(void)
{
    return tell_at_ns;
}

void audience_end(void)
{
    int64_t deadline = shim_now() + FAREWELL_NS;

    hooks_end(deadline);
    subscribers_end(deadline);
    shim->crash_guard(false);
}

void audience_pause(void)
{
    int64_t deadline = shim_now() + FAREWELL_NS;

    hooks_pause(deadline);
    subscribers_pause(deadline);
}

void audience_end_saving(void)
{
    hooks_pause(shim_now() + FAREWELL_NS);
    if (!hooks_have_threads()) {
        shim->crash_guard(false);
    }
}

void audience_forget(void)
{
    hooks_forget_threads();
    subscribers_forget();
}
