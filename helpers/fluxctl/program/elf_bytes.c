/* SPDX-License-Identifier: MIT */
/* Reads by pread(2), bounded. */
/* Context: a program of one thread. */
#include "program/elf_bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Far beyond what a linker makes, and little enough to be read by everybody. */
enum { PART_MOST = 64 << 20 };

bool elf_ends_within(uint64_t offset, uint64_t length, uint64_t size)
{
    return offset <= size && length <= size - offset;
}

int elf_read_at(const struct elf_file *elf, uint64_t offset, void *to, size_t size)
{
    size_t done = 0;

    if (!elf_ends_within(offset, size, elf->size)) {
        return -EBADMSG;
    }
    while (done < size) {
        ssize_t n = pread(elf->fd, (char *)to + done, size - done, (off_t)(offset + done));

        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return n == 0 ? -EBADMSG : -errno; /* it has become shorter */
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int elf_read_part(const struct elf_file *elf, uint64_t offset, uint64_t size, void *ret_part)
{
    if (size > PART_MOST || !elf_ends_within(offset, size, elf->size)) {
        return -EBADMSG;
    }
    char *part = malloc((size_t)size + 1);
    int error = part ? elf_read_at(elf, offset, part, (size_t)size) : -ENOMEM;

    if (error != 0) {
        free(part);
        return error;
    }
    part[size] = '\0';
    memcpy(ret_part, &part, sizeof(part));
    return 0;
}

/* Where in the file `size` bytes at an address are: they lie within one segment. */
static bool offset_of(const struct elf_file *elf, uint64_t address, uint64_t size,
                      uint64_t *ret_offset)
{
    for (size_t i = 0; i < elf->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &elf->segments[i];

        if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
            elf_ends_within(address - segment->p_vaddr, size, segment->p_filesz)) {
            *ret_offset = segment->p_offset + (address - segment->p_vaddr);
            return true;
        }
    }
    return false;
}

int elf_read_mapped(const struct elf_file *elf, uint64_t address, uint64_t size, void *ret_part)
{
    uint64_t offset;

    return offset_of(elf, address, size, &offset) ? elf_read_part(elf, offset, size, ret_part)
                                                  : -EBADMSG;
}
