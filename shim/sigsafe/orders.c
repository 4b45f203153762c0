/* SPDX-License-Identifier: MIT */
/* Knows an order by the family's cookie, and follows it. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "sigsafe/orders.h"

#include <stdint.h>

#include "sigsafe/demand.h"
#include "sigsafe/family.h"
#include "sigsafe/life.h"
#include "sigsafe/saving.h"

/* FAMILY_SAVE and so on; 0: none. */
static uint64_t order_of(const siginfo_t *info)
{
    if (info->si_code != SI_QUEUE || !family_self()) {
        return 0;
    }
    uint64_t order = (uint64_t)(uintptr_t)info->si_value.sival_ptr ^ family->cookie;

    return order == FAMILY_SAVE || order == FAMILY_STOP || order == FAMILY_HURRY ? order : 0;
}

bool orders_is_one(const siginfo_t *info)
{
    return order_of(info) != 0;
}

bool orders_follow(const siginfo_t *info)
{
    switch (order_of(info)) {
    case FAMILY_SAVE:
        return saving_request();
    case FAMILY_STOP:
        (void)demand_send(); /* its signal does the rest */
        return false;
    case FAMILY_HURRY:
        if (life_draining()) {
            life_post(LIFE_SECOND);
        }
        return false;
    default:
        return false;
    }
}
