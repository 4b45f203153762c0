/* SPDX-License-Identifier: MIT */
/* epoll_ctl and the epoll waits. */
/* Context: AS-Safe where the call is, MT-Safe, cancellation points. */
#include <sys/epoll.h>

#include "sigsafe/decoy.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "wrap/patience.h"
#include "wrap/wrap.h"

/* A listener's registrations are remembered: a decoy must be able to take them over. */
WRAP int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    int result = real.epoll_ctl(epfd, op, fd, event);

    struct listener *listener = result == 0 && life_armed() ? listeners_of(fd) : NULL;

    if (listener) {
        listeners_note_epoll(listener, epfd, op, event ? event->events : 0,
                             event ? event->data.u64 : 0);
    }
    return result;
}

/* Take out refused listeners that are ready in name only. */
static int without_decoys(int epfd, struct epoll_event *events, int ready)
{
    int kept = 0;

    for (int i = 0; i < ready; i++) {
        if (decoy_is_ready_event(epfd, &events[i])) {
            events[kept++] = events[i];
        }
    }
    return kept;
}

static bool comes_again(struct wait *wait, int epfd, struct epoll_event *events, int *result)
{
    if (wait_again(wait, *result)) {
        return true;
    }
    if (UNLIKELY(*result > 0 && atomic_load_explicit(&decoy_wanted, memory_order_relaxed))) {
        *result = without_decoys(epfd, events, *result);
        return *result == 0;
    }
    return false;
}

/* Wait once more, in a way that can't miss the signal's release. */
static int epoll_rest(int epfd, struct epoll_event *events, int most,
                      const struct patience *patience, const sigset_t *mask)
{
    sigset_t outer, open;

    if (!wait_shut(&outer)) {
        return -1;
    }
    const sigset_t *inner = mask ? sigdisp_open_mask(mask, &open) : &outer;
    int result = real.epoll_pwait(epfd, events, most, patience_left_ms(patience), inner);

    wait_open(&outer);
    return result;
}

static int finish(struct wait *wait, int epfd, struct epoll_event *events, int most, int result,
                  const struct patience *patience, const sigset_t *mask)
{
    while (comes_again(wait, epfd, events, &result) && patience->until != 0) {
        result = epoll_rest(epfd, events, most, patience, mask);
    }
    return result;
}

WRAP int epoll_wait(int epfd, struct epoll_event *events, int most, int ms)
{
    struct wait wait = wait_begin();
    struct patience patience = patience_ms(ms);
    int result = real.epoll_wait(epfd, events, most, ms);

    return finish(&wait, epfd, events, most, result, &patience, NULL);
}

WRAP int epoll_pwait(int epfd, struct epoll_event *events, int most, int ms, const sigset_t *mask)
{
    struct wait wait = wait_begin();
    struct patience patience = patience_ms(ms);
    sigset_t open;
    int result = real.epoll_pwait(epfd, events, most, ms, sigdisp_open_mask(mask, &open));

    return finish(&wait, epfd, events, most, result, &patience, mask);
}

WRAP int epoll_pwait2(int epfd, struct epoll_event *events, int most,
                      const struct timespec *timeout, const sigset_t *mask)
{
    struct wait wait = wait_begin();
    struct patience patience = patience_timespec(timeout);
    sigset_t open;
    int result = real.epoll_pwait2(epfd, events, most, timeout, sigdisp_open_mask(mask, &open));

    return finish(&wait, epfd, events, most, result, &patience, mask);
}
