/* SPDX-License-Identifier: MIT */
/* Listeners that share their port with those of other processes (SO_REUSEPORT, socket(7)). */
/* Context: AS-Safe, MT-Safe; makes system calls, never waits for the network. */

/*
 * The kernel spreads new connections over all listeners of such a group by a hash, before it looks
 * at what each is bound to. One member that is refused by REFUSAL_BLACKHOLE therefore makes its share
 * of them hang; one that is closed resets what is in its queue (unless net.ipv4.tcp_migrate_req is 1,
 * Linux 5.14). So a member that stops while others go on, a worker alone or the old server beside the
 * new one, goes on accepting, and leaves the group when nothing is in its queue: engine/leaving.h.
 */
#ifndef FLUXSHIM_SIGSAFE_REUSEPORT_H
#define FLUXSHIM_SIGSAFE_REUSEPORT_H

#include "sigsafe/listeners.h"

/* Has fd SO_REUSEPORT set? */
bool reuseport_is_set(int fd);

/* Are there listeners in its group that no member of this family has opened? */
bool reuseport_has_strangers(const struct listener *listener, int fd);

#endif
