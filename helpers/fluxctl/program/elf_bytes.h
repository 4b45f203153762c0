/* SPDX-License-Identifier: MIT */
/* Parts of an ELF file, held against its size: what the readers of it are made of. */
/* Context: a program of one thread. */

/*
 * Offsets and sizes may be anything. -EBADMSG: that isn't in the file, or too much; -ENOMEM; or what pread says.
 */
#ifndef FLUXCTL_PROGRAM_ELF_BYTES_H
#define FLUXCTL_PROGRAM_ELF_BYTES_H

#include "program/elf_file.h"

/* The parts are of the file's own making: no sum of them may wrap around. */
bool elf_ends_within(uint64_t offset, uint64_t length, uint64_t size);

int elf_read_at(const struct elf_file *elf, uint64_t offset, void *to, size_t size);

/* A copy with a NUL behind it, to be freed. `ret_part` is the address of a pointer. */
int elf_read_part(const struct elf_file *elf, uint64_t offset, uint64_t size, void *ret_part);

/* The same by the address that it is loaded at: it must lie within one segment. */
int elf_read_mapped(const struct elf_file *elf, uint64_t address, uint64_t size, void *ret_part);

#endif
