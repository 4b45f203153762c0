/* SPDX-License-Identifier: MIT */
/* The list of subscribers. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <stddef.h>

#include "sigsafe/subscribers.h"

static struct subscriber *_Atomic first;

struct subscriber *subscribers_first(void)
{
    return atomic_load_explicit(&first, memory_order_acquire);
}

static bool change(struct subscriber *row, uint32_t from)
{
    return atomic_compare_exchange_strong(&row->state, &from, SUBSCRIBER_CHANGING);
}

bool subscribers_reuse(subscriber_callback callback, void *context)
{
    for (struct subscriber *row = subscribers_first(); row; row = row->next) {
        if (change(row, SUBSCRIBER_FREE)) {
            atomic_fetch_add(&row->turn, 1);
            atomic_store(&row->callback, callback);
            atomic_store(&row->context, context);
            atomic_store(&row->state, SUBSCRIBED);
            return true;
        }
    }
    return false;
}

void subscribers_add(struct subscriber *row)
{
    atomic_store(&row->state, SUBSCRIBED);
    row->next = subscribers_first();
    while (!atomic_compare_exchange_weak(&first, &row->next, row)) {
    }
}

bool subscribers_remove(subscriber_callback callback, void *context)
{
    for (struct subscriber *row = subscribers_first(); row; row = row->next) {
        if (atomic_load(&row->callback) == callback && atomic_load(&row->context) == context &&
            change(row, SUBSCRIBED)) {
            atomic_store(&row->state, SUBSCRIBER_FREE);
            return true;
        }
    }
    return false;
}
