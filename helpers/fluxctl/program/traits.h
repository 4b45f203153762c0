/* SPDX-License-Identifier: MIT */
/* What the symbols and the libraries of an ELF file say of what it does. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_PROGRAM_TRAITS_H
#define FLUXCTL_PROGRAM_TRAITS_H

#include "program/elf_file.h"

enum {
    TRAIT_SERVES = 1 << 0, /* listen, accept */
    TRAIT_HANDLER = 1 << 1,
    TRAIT_SIGWAIT = 1 << 2,
    TRAIT_SIGNALFD = 1 << 3,
    TRAIT_IO_URING = 1 << 4,
    TRAIT_SYSCALL = 1 << 5,
    TRAIT_SECCOMP = 1 << 6,
    TRAIT_HTTP2 = 1 << 7,
    TRAIT_MODULES = 1 << 8,    /* dlopen */
    TRAIT_SANITIZER = 1 << 9,  /* imported or built in */
    TRAIT_OWN_CALLS = 1 << 10, /* it defines what the shim interposes */
    TRAIT_UNKNOWN = 1 << 11,   /* the symbols can't be read */
};

unsigned traits_of(const struct elf_file *elf);

/* Of a library by its name: libnghttp2 is HTTP/2. */
unsigned traits_of_library(const char *name);

/* "python" for libpython3.11.so.1.0 or /usr/bin/python3; NULL for what is no runtime. */
const char *traits_runtime(const char *path);

/* libcrypto and the like can listen, and nearly nobody has them do so. */
bool traits_is_general(const char *name);

#endif
