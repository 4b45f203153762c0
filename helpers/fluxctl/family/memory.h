/* SPDX-License-Identifier: MIT */
/* A process's own tables, read from its memory: format/process_tables.h. */
/* Context: a program of one thread. */

/*
 * process_vm_readv(2) takes the rights of a debugger: the same user, no setuid program, and a
 * kernel.yama.ptrace_scope of 0, or root. Without them the rest of what fluxctl shows is the same.
 */
#ifndef FLUXCTL_FAMILY_MEMORY_H
#define FLUXCTL_FAMILY_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#include "format/process_tables.h"

/* From the address in its slot. 0, or -errno: -EPERM if it may not be read. */
int memory_tables(pid_t pid, uint64_t address, struct process_tables *ret_tables);

/* The entry of one descriptor. 0, or -errno: -ENOENT if the table has none for it. */
int memory_entry(pid_t pid, const struct process_tables *tables, int fd,
                 struct fd_entry *ret_entry);

/* How many connections it has accepted, all listeners together. 0, or -errno. */
int memory_accepted(pid_t pid, const struct process_tables *tables, uint64_t *ret_accepted);

#endif
