/* SPDX-License-Identifier: MIT */
/* Keeps a listener that was refused by SHUT_RD quiet for the program. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * After SHUT_RD an AF_UNIX listener takes no new connection and its queue stays acceptable, but
 * poll and epoll report it readable for ever and a blocking accept() fails with EINVAL once the
 * queue is empty (unix(7), net/unix/af_unix.c). The program must see neither. So the wrappers
 *
 *   - after a poll, select or epoll wait ask decoy_is_ready(): it looks into the queue by
 *     accepting, and keeps what it got in the listener's stash for the program's next accept();
 *   - before an accept take the stash: decoy_take_stash();
 *   - when the queue is found empty, put a fresh listener that nobody can reach over the
 *     descriptor's number, with its epoll registrations: accept parks, poll is silent.
 *
 * EPOLL_CTL_DEL must come before dup3: afterwards the old registration can't be named any more.
 */
#ifndef FLUXSHIM_SIGSAFE_DECOY_H
#define FLUXSHIM_SIGSAFE_DECOY_H

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sigsafe/listeners.h"

/* Some listener of this process is, or may be, refused by SHUT_RD: results must be filtered. */
extern _Atomic uint32_t decoy_wanted;

/* Is this ready listener really ready? True also for every other descriptor. */
bool decoy_is_ready(int fd);

/* The same for an epoll event, which names no descriptor. */
bool decoy_is_ready_event(int epfd, const struct epoll_event *event);

/* A connection that was set aside, as accept4() would return it, or -1. errno is kept. */
int decoy_take_stash(struct listener *listener, struct sockaddr *address, socklen_t *size,
                     int flags);

/* Note which listeners the family's owner has shut down: their queue is this member's, too. */
void decoy_note_family(void);

/*
 * A member of a family drains alone: its siblings go on accepting, so the listeners themselves stay
 * as they are, and decoys take their place in this process. Whoever is blocked in accept() stays on
 * the old socket until a signal makes the call start again (tell_move_threads).
 */
void decoy_leave_all(void);

/* The same for one, whatever its refusal. */
void decoy_leave(struct listener *listener);

/* accept() failed with EINVAL: true if it should be tried again, on the decoy or the stash. */
bool decoy_absorb(struct listener *listener);

#endif
