/* SPDX-License-Identifier: MIT */
/* poll and ppoll: waits that no signal of ours interrupts. */
/* Context: AS-Safe where the call is, MT-Safe, cancellation points. */
#include <poll.h>

#include "sigsafe/decoy.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "wrap/fortified.h"
#include "wrap/patience.h"
#include "wrap/wrap.h"

/* Take out refused listeners that are ready in name only. */
static int without_decoys(struct pollfd *fds, nfds_t count, int ready)
{
    for (nfds_t i = 0; ready > 0 && i < count; i++) {
        if (fds[i].revents != 0 && !decoy_is_ready(fds[i].fd)) {
            fds[i].revents = 0;
            ready--;
        }
    }
    return ready;
}

/* Is this result no answer for the program, so that it has to be waited for again? */
static bool comes_again(struct wait *wait, struct pollfd *fds, nfds_t count, int *result)
{
    if (wait_again(wait, *result)) {
        return true;
    }
    if (UNLIKELY(*result > 0 && atomic_load_explicit(&decoy_wanted, memory_order_relaxed))) {
        *result = without_decoys(fds, count, *result);
        return *result == 0;
    }
    return false;
}

/* Wait once more, in a way that can't miss the signal's release. */
static int poll_rest(struct pollfd *fds, nfds_t count, const struct patience *patience,
                     const sigset_t *mask)
{
    struct timespec room;
    sigset_t outer, open;

    if (!wait_shut(&outer)) {
        return -1;
    }
    const sigset_t *inner = mask ? sigdisp_open_mask(mask, &open) : &outer;
    int result = real.ppoll(fds, count, patience_left(patience, &room), inner);

    wait_open(&outer);
    return result;
}

static int finish(struct wait *wait, struct pollfd *fds, nfds_t count, int result,
                  const struct patience *patience, const sigset_t *mask)
{
    while (comes_again(wait, fds, count, &result) && patience->until != 0) {
        result = poll_rest(fds, count, patience, mask);
    }
    return result;
}

WRAP int poll(struct pollfd *fds, nfds_t count, int ms)
{
    struct wait wait = wait_begin();
    struct patience patience = patience_ms(ms);
    int result = real.poll(fds, count, ms);

    return finish(&wait, fds, count, result, &patience, NULL);
}

WRAP int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
               const sigset_t *mask)
{
    struct wait wait = wait_begin();
    struct patience patience = patience_timespec(timeout);
    sigset_t open;
    int result = real.ppoll(fds, count, timeout, sigdisp_open_mask(mask, &open));

    return finish(&wait, fds, count, result, &patience, mask);
}

/* What _FORTIFY_SOURCE turns them into. The check is one comparison, and libc's failure is. */
WRAP int __poll_chk(struct pollfd *fds, nfds_t count, int ms, size_t room)
{
    if (room / sizeof(*fds) < count) {
        __chk_fail();
    }
    return poll(fds, count, ms);
}

WRAP int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                     const sigset_t *mask, size_t room)
{
    if (room / sizeof(*fds) < count) {
        __chk_fail();
    }
    return ppoll(fds, count, timeout, mask);
}
