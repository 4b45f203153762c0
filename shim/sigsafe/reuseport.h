/* SPDX-License-Identifier: MIT */
/* Listeners that share their port with those of other processes (SO_REUSEPORT, socket(7)). */
/* Context: AS-Safe, MT-Safe; makes system calls, never waits for the network. */

/*
 * The kernel spreads new connections over all listeners of such a group by a hash, before it looks
 * at what each is bound to. One member that is refused by REFUSAL_BLACKHOLE therefore makes its share
 * of them hang; one that is closed resets what is in its queue (unless net.ipv4.tcp_migrate_req is 1,
 * Linux 5.14). So a member that stops while others go on, a worker alone or the old server beside the
 * new one, goes on accepting, and leaves the group at a moment at which its queue is empty
 * (decoy_leave_empty): all its threads have moved to the decoy, and what has come meanwhile brings the
 * listener back. What arrives in the microsecond between that look and the end of the listener, or is
 * half-open then, is lost as it would be bare.
 */
#ifndef FLUXSHIM_SIGSAFE_REUSEPORT_H
#define FLUXSHIM_SIGSAFE_REUSEPORT_H

#include "sigsafe/listeners.h"

/* Has fd SO_REUSEPORT set? */
bool reuseport_is_set(int fd);

/* Are there listeners in its group that no member of this family has opened? */
bool reuseport_has_strangers(const struct listener *listener, int fd);

/* Is nothing in the queue? True as well if nobody can say. */
bool reuseport_is_empty(int fd);

#endif
