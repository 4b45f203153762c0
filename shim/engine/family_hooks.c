/* SPDX-License-Identifier: MIT */
/* Announces hooks to the members and waits for those that run some. */
/* Context: coordinator thread only; blocks in family_hooks_await(). */
#include "engine/family_hooks.h"

#include <stdatomic.h>
#include <sys/types.h>

#include "engine/shim.h"

#define LOOK_AGAIN_NS 20000000ll /* is it still alive? */

static struct family_layout *layout(void)
{
    return *shim->family;
}

static bool leads(void)
{
    return shim->family_self() && shim->family_leads();
}

static bool is_told(uint32_t index)
{
    const struct family_member *member = &layout()->members[index];

    return index != shim->family_index() && atomic_load(&member->state) == FAMILY_ACTIVE &&
           atomic_load(&member->told) != 0 && atomic_load(&member->passive) == 0;
}

void family_hooks_announce(void)
{
    if (!leads()) {
        return;
    }
    atomic_store(&layout()->phase, FAMILY_HOOKS);
    for (uint32_t i = 0; i < shim->family_high(); i++) {
        if (is_told(i)) {
            shim->family_ring(i);
        }
    }
}

static bool all_are_done(void)
{
    for (uint32_t i = 0; i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];

        if (is_told(i) && atomic_load(&member->hooks_done) == 0 &&
            !shim->process_is_gone((pid_t)atomic_load(&member->pid),
                                   atomic_load(&member->alive_ms))) {
            return false;
        }
    }
    return true;
}

void family_hooks_await(int64_t deadline_ns)
{
    _Atomic uint32_t *bell = shim->bell();

    while (leads() && shim_now() < deadline_ns) {
        uint32_t rung = atomic_load(bell);

        if (all_are_done()) {
            return;
        }
        shim->sleep(bell, rung, LOOK_AGAIN_NS);
    }
}

void family_hooks_done(void)
{
    struct family_member *self = shim->family_self();

    if (self && !leads()) {
        atomic_store(&self->hooks_done, 1);
        shim->family_ring(atomic_load(&layout()->owner));
    }
}
