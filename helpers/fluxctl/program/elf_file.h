/* SPDX-License-Identifier: MIT */
/* Reads of an ELF file what tells whether a preload can work in it. */
/* Context: a program of one thread. */

/*
 * The file may be anything: each offset, count and string is held against the size of the file, read by
 * pread(2) (a file that is cut off meanwhile gives an error, where a mapping would give SIGBUS) and bounded. Nothing of
 * it is executed. elf(5) and the gABI are the sources.
 *
 *     struct elf_file elf;
 *     int error = elf_read(fd, &elf);     the descriptor stays the caller's, and open while `elf` is used
 *     if (error == 0) {
 *         elf_symbols(&elf, look, argument);
 *         elf_free(&elf);
 *     }
 *
 * Of a file for another word size or byte order only what e_ident and e_machine say is known: is_foreign.
 */
#ifndef FLUXCTL_PROGRAM_ELF_FILE_H
#define FLUXCTL_PROGRAM_ELF_FILE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_NEEDED_MOST = 512 };

struct elf_file {
    int fd;
    uint64_t size;
    bool is_foreign;
    unsigned bits;    /* 32 or 64 */
    uint16_t type;    /* ET_EXEC, ET_DYN, ... */
    uint16_t machine; /* EM_X86_64, ... */
    ElfW(Ehdr) header;
    ElfW(Phdr) * segments; /* header.e_phnum of them */
    char *interpreter;     /* NULL: static, or a library */
    bool is_dynamic;
    bool is_pie;   /* DF_1_PIE: what tells a static PIE from a library */
    char *strings; /* of the dynamic section; a NUL stands behind the last */
    size_t strings_size;
    ElfW(Addr) symbols, hash;  /* addresses, 0: none */
    ElfW(Addr) relocations[2]; /* and of the PLT */
    size_t relocations_size[2];
    size_t relocation_size[2]; /* of one */
    const char *needed[ELF_NEEDED_MOST];
    size_t needed_count;
    const char *rpath, *runpath; /* NULL: none */
};

/*
 * 0; -ENOEXEC: no ELF file; -EBADMSG: cut off, or contradicts itself; -ENOMEM; or what fstat and pread say. Nothing is to
 * be freed after an error.
 */
int elf_read(int fd, struct elf_file *ret_elf);
void elf_free(struct elf_file *elf);

/* Each named dynamic symbol. False if the table can't be read, in part or at all. */
typedef void elf_symbol_visit(const char *name, bool is_defined, void *argument);
bool elf_symbols(const struct elf_file *elf, elf_symbol_visit *visit, void *argument);

/* By the section's name, or the note in the segment, which strip(1) leaves. */
bool elf_is_go(const struct elf_file *elf);

/*
 * Machine code that loads the number of a socket's system call and makes it at once. A hint: data can
 * look like it. Known for x86-64 only.
 */
bool elf_calls_kernel(const struct elf_file *elf);

/* The machine of fluxctl itself, and so the library's; 0 if it isn't known. */
uint16_t elf_native_machine(void);

/* "x86-64", "aarch64"; "machine 1234" for one without a name here. */
const char *elf_machine_name(uint16_t machine);

#endif
