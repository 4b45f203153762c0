/* SPDX-License-Identifier: MIT */
/* Where libfluxshim.so is. */
/* Context: a program of one thread. */

/*
 * Beside fluxctl (a build folder), in ../lib of it (an installation that may have been moved), in the folder that it
 * was built for; and otherwise by its plain name, which ld.so(8) looks up for each program.
 */
#ifndef FLUXCTL_PROGRAM_LIBRARY_H
#define FLUXCTL_PROGRAM_LIBRARY_H

#include <limits.h>
#include <stdbool.h>

/* False: it is the plain name, and ld.so would not find it either. */
bool library_find(char ret_path[PATH_MAX]);

/* Of a path that was given: absolute, symbolic links kept as they are. 0 or -errno. */
int library_absolute(const char *path, char ret_path[PATH_MAX]);

#endif
