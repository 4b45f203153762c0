/* SPDX-License-Identifier: MIT */
/* The processes that were forked from the one that armed, and the memory that they share. */
/* Context: AS-Safe, MT-Safe, never blocks; family_found() and family_join() are for arming only. */

/*
 * The process that arms founds the family: one shared mapping (format/family_layout.h), inherited
 * by fork, with a slot for each process. Its owner is the founder, or who takes over when it is
 * gone (daemon(3)). A child's slot is reserved before the fork, so that between a master's accept,
 * its fork and its close somebody always counts the connection. A program that was exec'd, and gets a
 * connection or a listener of the family's, joins it (boot/join.c).
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
#include <sys/socket.h>
#include <sys/types.h>

#include "format/family_layout.h"

#define FAMILY_VARIABLE "FLUX_FAMILY"
#define FAMILY_ENTRY    4200

/* The mapping, or NULL; constant once it is set, and the same in all members. */
extern struct family_layout *family;

/*
 * "FLUX_FAMILY=" and the path of the mapping's file, "" if it has none. An owner that execs itself while
 * it serves (haproxy's master) hands this on in the new program's environment, which takes it out again
 * and is the owner still. Written while founding.
 */
extern char family_entry[FAMILY_ENTRY];

/* What the next program gets: `entries`, which is the program's own or lies in `size` bytes of ours. */
struct family_environment {
    char *const *entries;
    size_t size;
};

/* `env`, with that entry if the program that this process is about to become still leads its family. */
struct family_environment family_environment_of(char *const env[]);
void family_environment_free(const struct family_environment *environment);

/* Zeroed shared memory becomes a family's, with this process in slot 0. signo: see tell.h; 0: none. */
void family_found(struct family_layout *layout, int signo);

/* Become a member of one that is there, or again the owner that this process was. 0, or -ENOSPC. */
int family_join(struct family_layout *layout);

/* Has that family a living member with this pid? */
bool family_knows(struct family_layout *layout, pid_t pid);

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

/*
 * Listeners of any member, for those who never listened themselves: `address` of `size` bytes, and
 * the socket's SO_COOKIE (socket(7), Linux 4.6), which is the same in every process that holds it.
 */
void family_publish_listener(uint64_t cookie, const struct sockaddr_storage *address,
                             socklen_t size);
bool family_listens(const struct family_layout *layout, uint64_t cookie);

/* Copies the address of listener i (below FAMILY_LISTENERS) and gives its size; 0: none is there. */
socklen_t family_listener_address(const struct family_layout *layout, uint32_t i,
                                  struct sockaddr_storage *ret_address);

#endif
