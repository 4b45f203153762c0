/* SPDX-License-Identifier: MIT */
/* Feeds the reader of ELF files with whatever libFuzzer makes up. */
/* Context: a program of libFuzzer's, under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program/elf_file.h"
#include "program/traits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sum;

static void use(const struct elf_file *elf)
{
    for (size_t i = 0; i < elf->needed_count; i++) {
        sum += strlen(elf->needed[i]) + traits_of_library(elf->needed[i]);
    }
    sum += elf->rpath ? strlen(elf->rpath) : 0;
    sum += elf->runpath ? strlen(elf->runpath) : 0;
    sum += elf->interpreter ? strlen(elf->interpreter) : 0;
    sum += traits_of(elf) + elf_is_go(elf) + elf_calls_kernel(elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct elf_file elf;

    if (fd < 0) {
        fd = memfd_create("elf", MFD_CLOEXEC);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        abort();
    }
    if (elf_read(fd, &elf) == 0) {
        use(&elf);
        elf_free(&elf);
    }
    return 0;
}
