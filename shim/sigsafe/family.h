/* SPDX-License-Identifier: MIT */
/* The processes that were forked from the one that armed, and the memory that they share. */
/* Context: AS-Safe, MT-Safe, never blocks; family_found() is for arming only. */

/*
 * The process that arms founds the family: one shared mapping (format/family_layout.h), inherited
 * by fork, with a slot for each process. Its owner is the founder, or who takes over when it is
 * gone (daemon(3)). A child's slot is reserved before the fork, so that between a master's accept,
 * its fork and its close somebody always counts the connection.
 *
 *     FREE -> RESERVED -> CLEAN  -> ACTIVE -> PROGRAM   (exec'd with a connection)
 *                      -> ACTIVE           -> OTHER     (exec'd without one)
 *     any -> FREE by _exit, by its parent's wait, or when it is found to be gone
 *
 * A process without a slot (no memory, no room, a raw clone) is a family of its own.
 */
#ifndef FLUXSHIM_SIGSAFE_FAMILY_H
#define FLUXSHIM_SIGSAFE_FAMILY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "format/family_layout.h"

/* The mapping, or NULL; constant once it is set, and the same in all members. */
extern struct family_layout *family;

/* Map it, with this process in slot 0. 0 or -errno. */
int family_found(void);

/* This process's slot, or NULL. Its index. */
struct family_member *family_self(void);
uint32_t family_index(void);

/* Slots in use are below this. */
uint32_t family_high(void);

/*
 * Does this process lead? True without a family. When the owner is gone, a child of its takes over, or
 * one whose own parent is gone too: the one that asks first. Nobody does once the owner has released.
 */
bool family_leads(void);

/* Is it the owner, and could it become so? Neither takes over. */
bool family_is_owner(void);
bool family_may_lead(void);

/* Is the owner that process? False without a family. */
bool family_owner_is(pid_t pid);

/* Is the owner draining, or further? FAMILY_RUNNING without a family, and for the owner itself. */
enum family_phase family_phase(void);

/* This member never had a connection. False without a family. */
bool family_is_clean(void);

/* Is no other member alive? Those that became other programs don't count. */
bool family_is_alone(void);

/*
 * Is this process a member, and alive? For a signal's sender. In a pid namespace of its own a member
 * can't tell who has sent one (pid 0), and takes it for a relative.
 */
bool family_has(pid_t pid);

/* Gone: no such process any more, or a zombie. False if nobody can say. */
bool family_is_gone(pid_t pid);

/* Around fork, in the forking thread. `with_connections`: the child may have to finish one. */
void family_before_fork(bool with_connections);
void family_after_fork(pid_t pid); /* in the parent; -1: it has failed */
void family_in_child(void);

/* This process accepts for the first time. */
void family_activate(void);

/*
 * In a sandbox, where no thread and no system call of ours may be: this process can't drain, but its
 * relatives can wait for it. From then on it publishes what its table holds.
 */
void family_become_passive(void);
void family_count(void);

/* A connection is sent to another process, or has come from one: meanwhile nobody's table has it. */
void family_passed(void);
void family_received(void);

/* This child of ours has been waited for. */
void family_reaped(pid_t pid);

/* posix_spawn has made this child, and it has inherited a connection. */
void family_spawned(pid_t pid);

/* Around exec. */
void family_before_exec(bool takes_connection);
void family_exec_failed(void);

/* Wake the coordinator of the member in that slot. */
void family_ring(uint32_t index);

#endif
