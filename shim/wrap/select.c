/* SPDX-License-Identifier: MIT */
/* select and pselect: waits that no signal of ours interrupts. */
/* Context: AS-Safe where the call is, MT-Safe, cancellation points. */
#include <string.h>
#include <sys/select.h>

#include "sigsafe/decoy.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "wrap/patience.h"
#include "wrap/wrap.h"

/* The program's sets as they were: the kernel overwrites them with what is ready. */
struct sets {
    int count; /* 0: not saved, nothing to filter */
    fd_set *given[3];
    fd_set saved[3];
};

static void save(struct sets *sets, int count, fd_set *r, fd_set *w, fd_set *e)
{
    sets->count = 0;
    if (!atomic_load_explicit(&decoy_wanted, memory_order_relaxed) || count > FD_SETSIZE) {
        return;
    }
    sets->given[0] = r;
    sets->given[1] = w;
    sets->given[2] = e;
    sets->count = count;
    for (int i = 0; i < 3; i++) {
        if (sets->given[i]) {
            memcpy(&sets->saved[i], sets->given[i], ((size_t)count + 63) / 64 * 8);
        }
    }
}

static void restore(const struct sets *sets)
{
    for (int i = 0; i < 3; i++) {
        if (sets->given[i]) {
            memcpy(sets->given[i], &sets->saved[i], ((size_t)sets->count + 63) / 64 * 8);
        }
    }
}

/* Take out refused listeners that are ready in name only; returns how many results are left. */
static int without_decoys(struct sets *sets, int ready)
{
    fd_set *readable = sets->given[0];

    for (uint32_t i = 0; readable && i < listeners_high(); i++) {
        int fd = atomic_load(&listeners[i].fd);

        if (fd >= 0 && fd < sets->count && FD_ISSET(fd, readable) && !decoy_is_ready(fd)) {
            FD_CLR(fd, readable);
            ready--;
        }
    }
    return ready;
}

static bool comes_again(struct wait *wait, struct sets *sets, int *result)
{
    if (wait_again(wait, *result)) {
        return true;
    }
    if (UNLIKELY(*result > 0 && sets->count > 0)) {
        *result = without_decoys(sets, *result);
        if (*result == 0) {
            restore(sets);
            return true;
        }
    }
    return false;
}

/* Wait once more, in a way that can't miss the signal's release. */
static int select_rest(int count, fd_set *r, fd_set *w, fd_set *e, const struct patience *patience,
                       const sigset_t *mask)
{
    struct timespec room;
    sigset_t outer, open;

    if (!wait_shut(&outer)) {
        return -1;
    }
    const sigset_t *inner = mask ? sigdisp_open_mask(mask, &open) : &outer;
    int result = real.pselect(count, r, w, e, patience_left(patience, &room), inner);

    wait_open(&outer);
    return result;
}

/* Linux leaves in `timeout` what was not slept: select(2). */
WRAP int select(int count, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e,
                struct timeval *restrict timeout)
{
    struct wait wait = wait_begin();
    struct timespec room;
    struct timespec whole = {.tv_sec = timeout ? timeout->tv_sec : 0,
                             .tv_nsec = timeout ? timeout->tv_usec * 1000 : 0};
    struct patience patience = patience_timespec(timeout ? &whole : NULL);
    struct sets sets;
    bool repeated = false;

    save(&sets, count, r, w, e);
    int result = real.select(count, r, w, e, timeout);

    while (comes_again(&wait, &sets, &result)) {
        result = select_rest(count, r, w, e, &patience, NULL);
        repeated = true;
    }
    if (repeated && timeout && patience_left(&patience, &room)) {
        *timeout = (struct timeval){room.tv_sec, room.tv_nsec / 1000};
    }
    return result;
}

WRAP int pselect(int count, fd_set *restrict r, fd_set *restrict w, fd_set *restrict e,
                 const struct timespec *restrict timeout, const sigset_t *restrict mask)
{
    struct wait wait = wait_begin();
    struct patience patience = patience_timespec(timeout);
    struct sets sets;
    sigset_t open;

    save(&sets, count, r, w, e);
    int result = real.pselect(count, r, w, e, timeout, sigdisp_open_mask(mask, &open));

    while (comes_again(&wait, &sets, &result)) {
        result = select_rest(count, r, w, e, &patience, mask);
    }
    return result;
}
