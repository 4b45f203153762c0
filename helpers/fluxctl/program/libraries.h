/* SPDX-License-Identifier: MIT */
/* The shared libraries that a program would be given. */
/* Context: a program of one thread. */

/*
 * They are looked for as ld.so(8) does: DT_RPATH, LD_LIBRARY_PATH, DT_RUNPATH, /etc/ld.so.cache, the folder of
 * the loader and the usual ones. ld.so itself is not asked: that would be to run the program. The cache is as
 * untrusted as any other file.
 */
#ifndef FLUXCTL_PROGRAM_LIBRARIES_H
#define FLUXCTL_PROGRAM_LIBRARIES_H

#include "program/elf_file.h"

/* `elf` is NULL for one that isn't found. */
typedef void libraries_visit(const char *name, const struct elf_file *elf, void *argument);

/* Each library once, nearest first; 256 at most. */
void libraries_walk(const struct elf_file *program, const char *path, libraries_visit *visit,
                    void *argument);

/* Would ld.so find this name by itself? */
bool libraries_has(const char *name);

#endif
