/* SPDX-License-Identifier: MIT */
/* Has this process a copy of SQLite besides ours, with this database open? */
/* Context: any thread; may allocate and block. */

/*
 * POSIX locks belong to the process, and go when it closes any descriptor of the file. SQLite knows
 * that and counts its own, but a second copy of it (linked statically into the server) can't know
 * of the first: opening and closing the database here would take the server's locks away, and
 * another process could then damage it (sqlite.org/howtocorrupt.html, 2.2.1).
 */
#ifndef FLUXSHIM_HOOKS_SQLITE_FOREIGN_H
#define FLUXSHIM_HOOKS_SQLITE_FOREIGN_H

#include <stdbool.h>

/* To be asked before any other call of the library. */
bool foreign_copy_has_open(const char *path);

#endif
