/* SPDX-License-Identifier: MIT */
/* The drain of a whole family: the owner's side and a member's. */
/* Context: coordinator thread only; makes system calls, never waits. */

/*
 * The owner tells each member that may hold a connection, and waits until nobody has one. A count
 * of zero is believed only if it is an answer to the owner's present *round*: rounds begin when the
 * owner's own table and the accept queue are empty, so that no connection can be on its way from the
 * queue to a member that has just said "none".
 *
 * A member that was told answers each sweep and goes on until the owner releases; then it hands over
 * the signal that it may hold itself (Ctrl-C reaches everyone). One that wasn't told drains alone.
 */
#ifndef FLUXSHIM_ENGINE_MEMBERS_H
#define FLUXSHIM_ENGINE_MEMBERS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/drain.h"
#include "engine/record.h"

/* Does this process drain because its family does? */
bool members_is_told(void);

/* In a forked child: what is known is the parent's. */
void members_forget(void);

/* A member that has its signal already, and goes on, needn't be waited for. */
void members_excuse(void);

/* The drain begins. */
void members_begin(int64_t now);

/*
 * After a sweep: may the drain end? `round` is what members_round() said before the sweep. Lowers
 * *ret_next_ns to when this is to be asked again.
 */
uint32_t members_round(void);
bool members_may_end(int64_t now, const struct drain_view *view, uint32_t round,
                     struct record *record, int64_t *ret_next_ns);

/*
 * A copy that is untouched since a fork (FD_LENT) belongs to the process that forked, as long as that
 * has it; and one of which that process has seen nothing yet belongs to the child, if the child has
 * it: a descriptor keeps its number over a fork, so /proc/PID/fd tells.
 */
bool members_parent_holds(int fd);
bool members_child_holds(int fd);

/* Is this process one of the family, and still the same program? */
bool members_include(pid_t pid);

/* The time to drain is over for all; has everybody forced what was left? */
void members_force(void);
bool members_forced(void);
bool members_must_force(void); /* a member's question */

/* A member whose hooks have run: is its owner still to release? */
bool members_must_wait(void);

/* Is it this process that runs hooks and checkpoint? Once a family, by its owner. */
bool members_clean(void);

/* A member's last word: what was left is forced. */
void members_done(struct record *record);

/* Has the owner that told this member ended? Then nobody will stop this process any more. */
bool members_is_orphaned(void);

/* The owner is about to hand its signal over. */
void members_release(void);

/* Connections that the others have, as far as they have said. Owner only; 0 elsewhere. */
uint64_t members_left(void);

/* Has each that was told said how many it has? Until then the number above is too small. */
bool members_have_answered(void);

/* Rows for the checkpoint, and what the others have counted. Owner only. */
void members_account(struct record *record);

#endif
