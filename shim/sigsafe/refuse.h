/* SPDX-License-Identifier: MIT */
/* Refusing new connections while those in the accept queue stay acceptable. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * TCP: the listener is bound to an interface that doesn't exist (SO_BINDTOIFINDEX, Linux 5.7).
 * From that instant a SYN finds no listener and gets a RST; what is in the queue, and handshakes
 * that have begun, stay. No privilege is needed unless the socket is bound to a device already.
 * Fallbacks: a socket filter that drops SYNs, listen(fd, 0), SHUT_RD.
 *
 * AF_UNIX: shutdown(SHUT_RD) refuses connects and leaves the queue, see sigsafe/decoy.h for what
 * the program would see of it otherwise.
 */
#ifndef FLUXSHIM_SIGSAFE_REFUSE_H
#define FLUXSHIM_SIGSAFE_REFUSE_H

#include <stdbool.h>

#include "sigsafe/listeners.h"

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62 /* Linux 5.0; for a bound socket without privilege 5.7 */
#endif

#define REFUSE_NO_INTERFACE 0x7ffffffe

/* Refuse on every listener that isn't refused yet. */
void refuse_all(void);

/*
 * In a member, for those that it has opened itself. `alone`: the rest of its family goes on.
 *
 * A listener whose group (SO_REUSEPORT) goes on without us is not refused but marked as
 * REFUSAL_LEAVING, by both: see reuseport.h. From there it goes on to REFUSAL_HUSHED.
 */
void refuse_own(bool alone);
void refuse_hush(struct listener *listener);

/* If the others of its group have gone since, it needn't leave any more: refuse it. True if that was so. */
bool refuse_the_last(struct listener *listener);

/* refuse_all() has been called: a listener that comes now is to be refused as well. */
bool refuse_is_on(void);

#endif
