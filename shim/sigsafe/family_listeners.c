/* SPDX-License-Identifier: MIT */
/* The family's listeners, as its shared memory names them. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <string.h>

#include "sigsafe/family.h"

_Static_assert(sizeof(struct sockaddr_storage) == FAMILY_ADDRESS, "any address has room");

bool family_listens(const struct family_layout *layout, uint64_t cookie)
{
    for (uint32_t i = 0; cookie != 0 && i < FAMILY_LISTENERS; i++) {
        if (atomic_load_explicit(&layout->listeners[i].cookie, memory_order_acquire) == cookie) {
            return true;
        }
    }
    return false;
}

/* The cookie last: from then on the rest is believed. Old ones give way when there is no room. */
void family_publish_listener(uint64_t cookie, const struct sockaddr_storage *address,
                             socklen_t size)
{
    if (!family_self() || cookie == 0 || family_listens(family, cookie)) {
        return;
    }
    uint32_t turn = atomic_fetch_add(&family->listener_count, 1);
    struct family_listener *slot = &family->listeners[turn % FAMILY_LISTENERS];

    atomic_store(&slot->cookie, 0);
    atomic_store(&slot->address_size, size <= FAMILY_ADDRESS ? size : 0);
    memcpy(slot->address, address, size <= FAMILY_ADDRESS ? size : 0);
    atomic_store_explicit(&slot->cookie, cookie, memory_order_release);
}

/* The size is read once: whoever writes it can change it at any time. */
socklen_t family_listener_address(const struct family_layout *layout, uint32_t i,
                                  struct sockaddr_storage *ret_address)
{
    const struct family_listener *slot = &layout->listeners[i % FAMILY_LISTENERS];
    uint64_t cookie = atomic_load_explicit(&slot->cookie, memory_order_acquire);
    uint32_t size = atomic_load(&slot->address_size);

    if (cookie == 0 || size > FAMILY_ADDRESS) {
        return 0;
    }
    memcpy(ret_address, slot->address, size);
    return size;
}
