/* SPDX-License-Identifier: MIT */
/* Asks a family's owner to do something: the family's own signal, with an order in its value. */
/* Context: a program of one thread. */

/*
 * Everything in the family's file may be a lie, also the owner's pid and the number of the signal, and
 * root must not be made to signal a stranger. So the process has to have the file mapped and to
 * catch that signal, and it must be a realtime one; and what is checked is what is signalled (a pidfd).
 */
#ifndef FLUXCTL_FAMILY_ORDER_H
#define FLUXCTL_FAMILY_ORDER_H

#include <stdint.h>

#include "command.h"
#include "family/view.h"

struct order {
    struct family_view *view;
    const struct member_view *owner;
    int pidfd;
};

/* The owner, made sure of; or what is wrong is said. */
enum status order_open(struct family_view *view, struct order *ret_order);
void order_close(struct order *order);

/* FAMILY_SAVE, FAMILY_STOP or FAMILY_HURRY; or what is wrong is said. */
enum status order_send(const struct order *order, uint64_t what);

/* How long the stop that is asked for next may drain, 0 or more nanoseconds; ORDER_AS_SET: FLUX_DRAIN_TIMEOUT. */
#define ORDER_AS_SET (-1)
enum status order_set_drain(const struct order *order, int64_t ns);

/* Wait until the process has ended, or so long. True if it has. */
bool order_wait_for_end(const struct order *order, int64_t ns);

#endif
