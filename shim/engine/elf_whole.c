/* SPDX-License-Identifier: MIT */
/* Holds the segments of an ELF file against its size. */
/* Context: while arming, in the program's thread; reads a file. */
#include "engine/elf_whole.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

static bool is_native(const ElfW(Ehdr) * header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == NATIVE_CLASS && header->e_phentsize == sizeof(ElfW(Phdr));
}

/* The parts are of the file's own making: no sum of them may wrap around. */
static bool ends_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

static bool segments_are_within(int fd, const ElfW(Ehdr) * header, uint64_t size)
{
    ElfW(Phdr) segment;

    for (uint32_t i = 0; i < header->e_phnum; i++) {
        uint64_t at = header->e_phoff + (uint64_t)i * sizeof(segment);

        if (!ends_within(header->e_phoff, (uint64_t)(i + 1) * sizeof(segment), size) ||
            pread(fd, &segment, sizeof(segment), (off_t)at) != (ssize_t)sizeof(segment)) {
            return false;
        }
        if (segment.p_type == PT_LOAD && !ends_within(segment.p_offset, segment.p_filesz, size)) {
            return false;
        }
    }
    return true;
}

static bool is_whole(int fd)
{
    ElfW(Ehdr) header;
    struct stat st;

    if (fstat(fd, &st) < 0 || pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
        !is_native(&header)) {
        return true;
    }
    return segments_are_within(fd, &header, (uint64_t)st.st_size);
}

bool elf_is_whole(const char *file)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool whole = fd < 0 || is_whole(fd);

    if (fd >= 0) {
        close(fd);
    }
    return whole;
}
