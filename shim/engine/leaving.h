/* SPDX-License-Identifier: MIT */
/* Leaves the listeners whose SO_REUSEPORT group goes on without this process. */
/* Context: coordinator thread only; makes system calls, never waits. */

/*
 * See sigsafe/reuseport.h for why such a listener can't be refused. It goes in two steps:
 *
 *     LEAVING --queue empty at one instant--> HUSHED --a round trip, queue empty--> LEFT
 *
 * HUSHED is the blackhole: the share of new connections that the kernel still gives to this socket is not
 * answered. TCP asks again after 1 s, and finds the rest of the group; nothing is lost. So that few have
 * to, it begins when the queue is empty, and lasts for two of the longest round trips that our
 * connections have: by then the handshakes that were under way are over. (sock_diag would say so, but
 * it looks at all sockets of the machine for it: 11 ms here.)
 */
#ifndef FLUXSHIM_ENGINE_LEAVING_H
#define FLUXSHIM_ENGINE_LEAVING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Go on with that; `all`: the time is over, leave at once. 0: none is left, else when to go on. Threads
 * that wait in accept() hold on to a listener that was left, until a signal makes the call start again:
 * sent here.
 */
int64_t leaving_go_on(int64_t now, bool all);

#endif
