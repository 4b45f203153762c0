/* SPDX-License-Identifier: MIT */
/* Takes a refusal back: the program goes on, as another program under the same pid. */
/* Context: AS-Safe, never blocks; in a process that is about to exec. */

/*
 * A server whose answer to the signal is to exec itself (a reload) passes its listeners on. Each of
 * them that is refused and not close-on-exec becomes open again: a blackhole is unbound, a filter
 * detached, a backlog restored. Where that is not allowed (unbinding needs CAP_NET_RAW) or not
 * possible (SHUT_RD has no way back), a fresh socket with the same address and options takes over
 * the number; nothing can be in the queue of the old one. If another process holds the old one
 * too, its address stays taken: told, and left as it is.
 */
#ifndef FLUXSHIM_SIGSAFE_RELISTEN_H
#define FLUXSHIM_SIGSAFE_RELISTEN_H

void relisten_all(void);

#endif
