/* SPDX-License-Identifier: MIT */
/* Refuses new connections for a server that goes on, and takes it back. */
/* Context: a program of one thread. */

/*
 * The same mechanism as the shim's (sigsafe/refuse.h): a TCP listener is bound to an interface that
 * doesn't exist. It is done on a copy of the server's own descriptor (pidfd_getfd(2), Linux 5.6), so
 * the server need do nothing, and every process that shares the socket is covered. To take it back,
 * or to do it twice, needs CAP_NET_RAW in the socket's namespace. AF_UNIX has nothing of the kind.
 */
#ifndef FLUXCTL_FAMILY_REFUSAL_H
#define FLUXCTL_FAMILY_REFUSAL_H

#include <stdbool.h>

#include "family/connections.h"

/* Could this process take back what it does? */
bool refusal_is_revocable(void);

/* Refuse on it, or no more. NULL if it is done, or why not; "" as a reason: it was so already. */
const char *refusal_set(const struct listener *listener, bool refuses);

#endif
