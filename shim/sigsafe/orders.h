/* SPDX-License-Identifier: MIT */
/* What fluxctl asks a server to do: the family's signal with an order in its cookie. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * It is queued to the family's owner (format/family_layout.h: FAMILY_SAVE, FAMILY_STOP, FAMILY_HURRY) by
 * somebody who may read the family's file, that is by its user or root. What has become of it
 * shows in the file. A process that can't follow an order forgets it.
 */
#ifndef FLUXSHIM_SIGSAFE_ORDERS_H
#define FLUXSHIM_SIGSAFE_ORDERS_H

#include <signal.h>
#include <stdbool.h>

bool orders_is_one(const siginfo_t *info);

/* Follow it. True if the coordinator has something to do now. */
bool orders_follow(const siginfo_t *info);

#endif
