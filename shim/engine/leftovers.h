/* SPDX-License-Identifier: MIT */
/* Temporaries that a writer has left behind which was killed. */
/* Context: while arming; makes system calls, may allocate. */
#ifndef FLUXSHIM_ENGINE_LEFTOVERS_H
#define FLUXSHIM_ENGINE_LEFTOVERS_H

#include <limits.h>

/* The name of a temporary: no other writer's, and none of an earlier attempt. */
void leftovers_name(const char *name, char ret_temporary[NAME_MAX + 1]);

/*
 * Remove those of `name` whose process is gone and which are older than a minute: in another
 * container a writer may be alive that can't be seen from here.
 */
void leftovers_remove(int folder, const char *name);

#endif
