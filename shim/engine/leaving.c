/* SPDX-License-Identifier: MIT */
/* The two steps out of a SO_REUSEPORT group. */
/* Context: coordinator thread only; makes system calls, never waits. */
#include "engine/leaving.h"

#include "engine/queue.h"
#include "engine/shim.h"
#include "engine/sockets.h"

#define LOOK_AGAIN    1000000ll
#define HUSH_LEAST    300000ll
#define HUSH_MOST     200000000ll
#define HUSH_BLIND    5000000ll /* no connection says how far away the clients are */
#define ASKED_AT_MOST 256

static int64_t hush_until[LISTENERS_MOST]; /* valid in state HUSHED */

static uint32_t state_of(const struct listener *listener)
{
    return atomic_load(&listener->fd) >= 0 ? atomic_load(&listener->refusal) : REFUSAL_NONE;
}

static bool is_leaving(const struct listener *listener)
{
    return state_of(listener) == REFUSAL_LEAVING || state_of(listener) == REFUSAL_HUSHED;
}

static bool is_empty(const struct listener *listener)
{
    return sockets_queued(atomic_load(&listener->fd)) <= 0;
}

static int64_t longest_round_trip(void)
{
    uint32_t end = atomic_load(&shim->fdtab->high);
    int64_t longest = 0;
    struct sockets_tcp tcp;

    for (uint32_t fd = 0, asked = 0; fd < end && asked < ASKED_AT_MOST; fd++) {
        if (atomic_load(&shim->fdtab->entries[fd].kind) & FD_CONNECTION) {
            asked++;
            if (sockets_tcp((int)fd, &tcp) && tcp.round_trip_ns > longest) {
                longest = tcp.round_trip_ns;
            }
        }
    }
    return longest;
}

static int64_t time_to_hush(void)
{
    int64_t two = 2 * longest_round_trip();

    return two == 0           ? HUSH_BLIND
           : two < HUSH_LEAST ? HUSH_LEAST
           : two > HUSH_MOST  ? HUSH_MOST
                              : two;
}

static void hush(struct listener *listener)
{
    int64_t time = time_to_hush();

    shim->hush_listener(listener);
    hush_until[listener - shim->listeners] = shim_now() + time;
}

/* When to go on. A process that never accepts leaves at once: the others would wait for it in vain. */
static int64_t step(struct listener *listener, int64_t now)
{
    int64_t until = hush_until[listener - shim->listeners];

    if (state_of(listener) == REFUSAL_LEAVING && shim->refuse_the_last(listener)) {
        return now; /* the others have gone meanwhile: as any other listener from here on */
    }
    if (!atomic_load(&shim->life->accepts)) {
        shim->leave_listener(listener);
    } else if (state_of(listener) == REFUSAL_LEAVING && is_empty(listener)) {
        hush(listener);
        return hush_until[listener - shim->listeners];
    } else if (state_of(listener) == REFUSAL_HUSHED && now < until) {
        return until;
    } else if (state_of(listener) == REFUSAL_HUSHED && is_empty(listener)) {
        shim->leave_listener(listener);
    }
    return now + LOOK_AGAIN;
}

int64_t leaving_go_on(int64_t now, bool all)
{
    int64_t next = INT64_MAX;
    bool any = false, pending = false;

    for (uint32_t i = 0; i < shim->listeners_high(); i++) {
        struct listener *listener = &shim->listeners[i];

        if (!is_leaving(listener)) {
            continue;
        }
        any = true; /* to be moved from */
        if (all) {
            shim->leave_listener(listener);
        } else {
            int64_t then = step(listener, now);

            next = then < next ? then : next;
        }
        pending |= is_leaving(listener);
    }
    if (any && !pending) {
        shim->move_threads();
    }
    return pending ? next : 0;
}
