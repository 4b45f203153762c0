/* SPDX-License-Identifier: MIT */
/* Reads headers and the dynamic section. */
/* Context: a program of one thread. */
#include "program/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program/elf_bytes.h"

#define NATIVE_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define NATIVE_DATA  (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)

/* Far beyond what a linker makes. */
enum { SEGMENTS_MOST = 1024, DYNAMIC_MOST = 1 << 20 };

/* ---- headers ---- */

static int read_identity(struct elf_file *elf)
{
    unsigned char start[20]; /* e_ident, e_type and e_machine are the same in all of them */
    int error = elf->size < SELFMAG ? -ENOEXEC : elf_read_at(elf, 0, start, SELFMAG);

    if (error == 0 && memcmp(start, ELFMAG, SELFMAG) != 0) {
        return -ENOEXEC;
    }
    if (error == 0) {
        error = elf_read_at(elf, 0, start, sizeof(start));
    }
    if (error != 0) {
        return error;
    }
    bool big = start[EI_DATA] == ELFDATA2MSB;

    if (start[EI_CLASS] != ELFCLASS32 && start[EI_CLASS] != ELFCLASS64) {
        return -EBADMSG;
    }
    elf->bits = start[EI_CLASS] == ELFCLASS64 ? 64 : 32;
    elf->type = (uint16_t)(big ? start[16] << 8 | start[17] : start[17] << 8 | start[16]);
    elf->machine = (uint16_t)(big ? start[18] << 8 | start[19] : start[19] << 8 | start[18]);
    elf->is_foreign = start[EI_CLASS] != NATIVE_CLASS || start[EI_DATA] != NATIVE_DATA;
    return 0;
}

static int read_segments(struct elf_file *elf)
{
    int error = elf_read_at(elf, 0, &elf->header, sizeof(elf->header));

    if (error != 0) {
        return error;
    }
    if (elf->header.e_phnum > SEGMENTS_MOST ||
        (elf->header.e_phnum > 0 && elf->header.e_phentsize != sizeof(ElfW(Phdr)))) {
        return -EBADMSG;
    }
    error = elf_read_part(elf, elf->header.e_phoff, elf->header.e_phnum * sizeof(ElfW(Phdr)),
                          &elf->segments);
    for (size_t i = 0; error == 0 && i < elf->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &elf->segments[i];

        if (segment->p_type == PT_LOAD &&
            !elf_ends_within(segment->p_offset, segment->p_filesz, elf->size)) {
            error = -EBADMSG;
        }
    }
    return error;
}

static const ElfW(Phdr) * segment_of(const struct elf_file *elf, uint32_t type)
{
    for (size_t i = 0; i < elf->header.e_phnum; i++) {
        if (elf->segments[i].p_type == type) {
            return &elf->segments[i];
        }
    }
    return NULL;
}

static int read_interpreter(struct elf_file *elf)
{
    const ElfW(Phdr) *segment = segment_of(elf, PT_INTERP);

    if (!segment) {
        return 0;
    }
    if (segment->p_filesz < 2 || segment->p_filesz > PATH_MAX) {
        return -EBADMSG; /* as the kernel has it */
    }
    int error = elf_read_part(elf, segment->p_offset, segment->p_filesz, &elf->interpreter);

    if (error == 0 && elf->interpreter[segment->p_filesz - 1] != '\0') {
        error = -EBADMSG;
    }
    return error;
}

/* ---- the dynamic section ---- */

struct dynamic {
    uint64_t strings, strings_size;
    uint64_t rpath, runpath; /* offsets in the strings, UINT64_MAX: none */
    uint64_t needed[ELF_NEEDED_MOST];
};

static void note_entry(struct elf_file *elf, struct dynamic *dynamic, const ElfW(Dyn) * entry)
{
    uint64_t value = entry->d_un.d_val;

    switch (entry->d_tag) {
    case DT_STRTAB:
        dynamic->strings = value;
        break;
    case DT_STRSZ:
        dynamic->strings_size = value;
        break;
    case DT_RPATH:
        dynamic->rpath = value;
        break;
    case DT_RUNPATH:
        dynamic->runpath = value;
        break;
    case DT_SYMTAB:
        elf->symbols = value;
        break;
    case DT_HASH:
        elf->hash = value;
        break;
    case DT_FLAGS_1:
        elf->is_pie = (value & DF_1_PIE) != 0;
        break;
    case DT_REL:
    case DT_RELA:
        elf->relocations[0] = value;
        elf->relocation_size[0] = entry->d_tag == DT_REL ? sizeof(ElfW(Rel)) : sizeof(ElfW(Rela));
        break;
    case DT_RELSZ:
    case DT_RELASZ:
        elf->relocations_size[0] = value;
        break;
    case DT_JMPREL:
        elf->relocations[1] = value;
        break;
    case DT_PLTRELSZ:
        elf->relocations_size[1] = value;
        break;
    case DT_PLTREL:
        elf->relocation_size[1] = value == DT_REL ? sizeof(ElfW(Rel)) : sizeof(ElfW(Rela));
        break;
    case DT_NEEDED:
        if (elf->needed_count < ELF_NEEDED_MOST) {
            dynamic->needed[elf->needed_count++] = value;
        }
        break;
    default:
        break;
    }
}

static int string_at(const struct elf_file *elf, uint64_t offset, const char **ret_string)
{
    if (offset >= elf->strings_size) {
        return -EBADMSG;
    }
    *ret_string = elf->strings + offset;
    return 0;
}

static int read_strings(struct elf_file *elf, const struct dynamic *dynamic)
{
    int error = elf_read_mapped(elf, dynamic->strings, dynamic->strings_size, &elf->strings);

    elf->strings_size = error == 0 ? (size_t)dynamic->strings_size : 0;
    for (size_t i = 0; error == 0 && i < elf->needed_count; i++) {
        error = string_at(elf, dynamic->needed[i], &elf->needed[i]);
    }
    if (error == 0 && dynamic->rpath != UINT64_MAX) {
        error = string_at(elf, dynamic->rpath, &elf->rpath);
    }
    if (error == 0 && dynamic->runpath != UINT64_MAX) {
        error = string_at(elf, dynamic->runpath, &elf->runpath);
    }
    return error;
}

static int read_dynamic(struct elf_file *elf)
{
    const ElfW(Phdr) *segment = segment_of(elf, PT_DYNAMIC);
    struct dynamic dynamic = {.rpath = UINT64_MAX, .runpath = UINT64_MAX};
    ElfW(Dyn) *entries = NULL;

    if (!segment || segment->p_filesz == 0) { /* a file of debug symbols has an empty one */
        return 0;
    }
    int error = segment->p_filesz > DYNAMIC_MOST
                    ? -EBADMSG
                    : elf_read_part(elf, segment->p_offset, segment->p_filesz, &entries);

    if (error != 0) {
        return error;
    }
    elf->is_dynamic = true;
    for (size_t i = 0; i < segment->p_filesz / sizeof(*entries); i++) {
        if (entries[i].d_tag == DT_NULL) {
            break;
        }
        note_entry(elf, &dynamic, &entries[i]);
    }
    free(entries);
    return read_strings(elf, &dynamic);
}

int elf_read(int fd, struct elf_file *ret_elf)
{
    struct elf_file elf = {.fd = fd};
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    if (!S_ISREG(st.st_mode)) {
        return -ENOEXEC;
    }
    elf.size = (uint64_t)st.st_size;
    int error = read_identity(&elf);

    if (error == 0 && !elf.is_foreign) {
        error = read_segments(&elf);
        error = error == 0 ? read_interpreter(&elf) : error;
        error = error == 0 ? read_dynamic(&elf) : error;
    }
    if (error != 0) {
        elf_free(&elf);
        return error;
    }
    *ret_elf = elf;
    return 0;
}

void elf_free(struct elf_file *elf)
{
    free(elf->segments);
    free(elf->interpreter);
    free(elf->strings);
}

/* ---- machines ---- */

uint16_t elf_native_machine(void)
{
    struct elf_file elf = {.machine = 0};
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    uint16_t machine = 0;

    if (fd >= 0 && elf_read(fd, &elf) == 0) {
        machine = elf.machine;
        elf_free(&elf);
    }
    if (fd >= 0) {
        close(fd);
    }
    return machine;
}

const char *elf_machine_name(uint16_t machine)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } names[] = {{EM_386, "i386"},        {EM_X86_64, "x86-64"}, {EM_ARM, "arm"},
                 {EM_AARCH64, "aarch64"}, {EM_RISCV, "riscv"},   {EM_PPC64, "ppc64"},
                 {EM_S390, "s390"},       {EM_MIPS, "mips"},     {EM_LOONGARCH, "loongarch"}};
    static char number[32];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].machine == machine) {
            return names[i].name;
        }
    }
    (void)snprintf(number, sizeof(number), "machine %u", machine);
    return number;
}
