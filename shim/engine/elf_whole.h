/* SPDX-License-Identifier: MIT */
/* Is a shared object all there? */
/* Context: while arming, in the program's thread; reads a file. */

/*
 * dlopen(3) maps what the program headers promise. Of a file that was cut off (a full disk, a copy
 * under way) it touches pages behind the end, and SIGBUS ends the process before dlopen can say
 * anything. So the promises are held against the size first.
 */
#ifndef FLUXSHIM_ENGINE_ELF_WHOLE_H
#define FLUXSHIM_ENGINE_ELF_WHOLE_H

#include <stdbool.h>

/* True also for what is no ELF file of this machine's kind: dlopen says that better. */
bool elf_is_whole(const char *file);

#endif
