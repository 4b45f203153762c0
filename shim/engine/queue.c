/* SPDX-License-Identifier: MIT */
/* Watches accept queues and half-open handshakes until they are empty for good. */
/* Context: coordinator thread only; makes system calls, never waits. */
#include <stdbool.h>
#include <stdio.h>

#include "engine/leaving.h"
#include "engine/queue.h"
#include "engine/reconcile.h"
#include "engine/shim.h"
#include "engine/sockets.h"

#define LOOK_AGAIN_NS 2000000ll

static struct {
    int64_t began;
    bool handshakes_over;
    int64_t empty_since; /* 0: not empty yet */
    bool settled;
} queue;

void queue_begin(int64_t now)
{
    queue.began = now;
    queue.handshakes_over = queue.settled = false;
    queue.empty_since = 0;
}

static const struct listener *refused(uint32_t index, int *ret_fd)
{
    const struct listener *listener = &shim->listeners[index];
    int fd = atomic_load(&listener->fd);

    *ret_fd = fd;
    uint32_t refusal = atomic_load(&listener->refusal);

    return fd >= 0 && refusal != REFUSAL_NONE && refusal != REFUSAL_LEAVING &&
                   refusal != REFUSAL_HUSHED && refusal != REFUSAL_LEFT
               ? listener
               : NULL;
}

/* Where the kernel won't tell (a sandbox without netlink), they are given a round trip. */
static bool handshakes_over(int64_t now)
{
    uint16_t ports[LISTENERS_MOST];
    size_t count = 0;
    bool six = false;
    int fd;

    for (uint32_t i = 0; i < shim->listeners_high(); i++) {
        const struct listener *listener = refused(i, &fd);

        if (listener && shim->port_of(&listener->address) != 0) {
            ports[count++] = shim->port_of(&listener->address);
            six |= listener->domain == AF_INET6;
        }
    }
    if (count == 0 || now - queue.began > QUEUE_HALF_OPEN_NS) {
        return true;
    }
    int half_open = sockets_half_open(ports, count, six);

    return half_open == 0 || (half_open < 0 && now - queue.began > QUEUE_BLIND_NS);
}

/* A master that never accepts must not take a connection out of the queue that it shares. */
static bool leaves_it_to_members(void)
{
    return !atomic_load(&shim->life->accepts) && shim->family_self() && shim->family_high() > 1;
}

static bool one_is_empty(const struct listener *listener, int fd)
{
    switch (atomic_load(&listener->refusal)) {
    case REFUSAL_SHUTDOWN: /* looking accepts, and swaps the decoy in when it is empty */
        return leaves_it_to_members() || !shim->decoy_is_ready(fd);
    case REFUSAL_DECOY:
        return atomic_load(&listener->stash) == LISTENER_STASH_NONE;
    default:
        return sockets_queued(fd) <= 0;
    }
}

static bool all_empty(void)
{
    int fd;

    for (uint32_t i = 0; i < shim->listeners_high(); i++) {
        const struct listener *listener = refused(i, &fd);

        if (listener && !one_is_empty(listener, fd)) {
            return false;
        }
    }
    return true;
}

/*
 * Asking for handshakes walks all of the kernel's connections: 11 ms of a processor that the program may want for
 * those who have just come. So not while it has some to serve, for as long as that can be put off.
 */
static bool can_wait(int64_t now, bool serves)
{
    return !queue.handshakes_over && now - queue.began < QUEUE_PUT_OFF_NS &&
           (serves || !all_empty());
}

int64_t queue_look(int64_t now, bool serves)
{
    int64_t leaves = leaving_go_on(now, false);

    if (leaves != 0) {
        return leaves;
    }
    if (can_wait(now, serves)) {
        return serves ? queue.began + QUEUE_PUT_OFF_NS : now + LOOK_AGAIN_NS;
    }
    queue.handshakes_over = queue.handshakes_over || handshakes_over(now);
    if (!queue.handshakes_over || !all_empty()) {
        queue.empty_since = 0;
        return now + LOOK_AGAIN_NS;
    }
    if (queue.settled) {
        return 0;
    }
    if (queue.empty_since == 0) {
        queue.empty_since = now;
    }
    if (now - queue.empty_since < QUEUE_SETTLE_NS) {
        return queue.empty_since + QUEUE_SETTLE_NS;
    }
    reconcile_connections();
    queue.settled = true;
    return now + 1; /* look once more at what the table holds now */
}

static const char *refusal_name(uint32_t refusal)
{
    static const char *const names[] = {
        [REFUSAL_NONE] = "none",         [REFUSAL_BLACKHOLE] = "blackhole",
        [REFUSAL_FILTER] = "filter",     [REFUSAL_BACKLOG] = "backlog",
        [REFUSAL_SHUTDOWN] = "shutdown", [REFUSAL_DECOY] = "shutdown",
        [REFUSAL_LEFT] = "left",         [REFUSAL_LEAVING] = "leaving",
        [REFUSAL_HUSHED] = "leaving",
    };

    return refusal < sizeof(names) / sizeof(names[0]) ? names[refusal] : "none";
}

size_t queue_listeners(struct record_listener *rows, size_t room)
{
    size_t used = 0;

    for (uint32_t i = 0; i < shim->listeners_high() && used < room; i++) {
        const struct listener *listener = &shim->listeners[i];
        struct record_listener *row = &rows[used++];

        sockets_format((const struct sockaddr *)&listener->address, listener->address_size,
                       row->address, sizeof(row->address));
        row->refusal = refusal_name(atomic_load(&listener->refusal));
        row->accepted = shim->listener_accepted(listener);
        row->rescued = atomic_load(&listener->rescued);
    }
    return used;
}
