/* SPDX-License-Identifier: MIT */
/* Who in the program wants to hear of each phase: flux_subscribe() of fluxshim.h. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A list without a lock: a program subscribes from any thread, also while its process forks. Rows
 * are only ever added at the head (by boot/api.c, which allocates them) and never freed; one that is
 * given back is taken again, with a new `turn`. The engine (engine/subscribers.h) reads the list at
 * each event and tells by `turn` whether a row is still the subscriber that it knew.
 */
#ifndef FLUXSHIM_SIGSAFE_SUBSCRIBERS_H
#define FLUXSHIM_SIGSAFE_SUBSCRIBERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fluxshim.h"

typedef void (*subscriber_callback)(void *context, const struct flux_event *event);

enum subscriber_state { SUBSCRIBER_FREE, SUBSCRIBER_CHANGING, SUBSCRIBED };

struct subscriber {
    _Atomic uint32_t state; /* enum subscriber_state; whoever sets CHANGING may write the rest */
    _Atomic uint32_t turn;
    _Atomic(subscriber_callback) callback;
    _Atomic(void *) context;
    struct subscriber *next; /* constant once in the list */
};

/* The newest row; NULL: nobody has ever subscribed. */
struct subscriber *subscribers_first(void);

/* Take a row that was given back. False: there is none. */
bool subscribers_reuse(subscriber_callback callback, void *context);

/* Put a new row, with callback and context set, into the list. It is the list's from here on. */
void subscribers_add(struct subscriber *row);

/* False: no such row. */
bool subscribers_remove(subscriber_callback callback, void *context);

#endif
