/* SPDX-License-Identifier: MIT */
/* Does another program take a connection of ours along? Then it is waited for until it ends. */
/* Context: AS-Safe, MT-Safe; makes system calls, never blocks. */
#ifndef FLUXSHIM_WRAP_INHERIT_H
#define FLUXSHIM_WRAP_INHERIT_H

#include <stdbool.h>
#include <sys/types.h>

/* The program that an exec now would start: a connection is open and not close-on-exec. */
bool inherit_by_exec(void);

/*
 * A child that shared our memory (vfork, posix_spawn) is another program now. Its dup2() before the exec
 * left no trace here: what it has open is looked at. errno is kept.
 */
void inherit_note_child(pid_t child);

#endif
