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

static uint64_t with_state(uint64_t word, enum subscriber_state state)
{
    return word - word % SUBSCRIBER_TURN + state;
}

bool subscribers_reuse(subscriber_callback callback, void *context)
{
    for (struct subscriber *row = subscribers_first(); row; row = row->next) {
        uint64_t word = atomic_load(&row->word);
        uint64_t mine = with_state(word + SUBSCRIBER_TURN, SUBSCRIBER_CHANGING);

        if (word % SUBSCRIBER_TURN == SUBSCRIBER_FREE &&
            atomic_compare_exchange_strong(&row->word, &word, mine)) {
            atomic_store(&row->callback, callback);
            atomic_store(&row->context, context);
            atomic_store(&row->word, with_state(mine, SUBSCRIBED));
            return true;
        }
    }
    return false;
}

void subscribers_add(struct subscriber *row)
{
    atomic_store(&row->word, SUBSCRIBED);
    row->next = subscribers_first();
    while (!atomic_compare_exchange_weak(&first, &row->next, row)) {
    }
}

bool subscribers_remove(subscriber_callback callback, void *context)
{
    for (struct subscriber *row = subscribers_first(); row; row = row->next) {
        uint64_t word = atomic_load(&row->word);

        if (subscriber_is_there(word) && atomic_load(&row->callback) == callback &&
            atomic_load(&row->context) == context &&
            atomic_compare_exchange_strong(&row->word, &word, with_state(word, SUBSCRIBER_FREE))) {
            return true;
        }
    }
    return false;
}
