/* SPDX-License-Identifier: MIT */
/* An ELF program of a kilobyte that has one of each thing that helpers/fluxctl/program/elf_file.c reads. */
/* Context: included once a program. */
#ifndef FLUXSHIM_TESTS_SMALL_ELF_H
#define FLUXSHIM_TESTS_SMALL_ELF_H

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SMALL_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define SMALL_DATA  (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)
#define SMALL_INFO(symbol)                                                                         \
    (sizeof(void *) == 8 ? (ElfW(Addr))((uint64_t)(symbol) << 32) : (ElfW(Addr))((symbol) << 8))

static const char small_strings[] = "\0libc.so.6\0/opt/lib\0accept\0dlopen\0close\0";
enum { SMALL_LIBC = 1, SMALL_PATH = 11, SMALL_ACCEPT = 20, SMALL_DLOPEN = 27, SMALL_CLOSE = 34 };

static const char small_names[] = "\0.dynsym\0.shstrtab\0.go.buildinfo";

struct small_elf {
    ElfW(Ehdr) header;
    ElfW(Phdr) segments[4];
    char interpreter[32];
    ElfW(Dyn) dynamic[14];
    ElfW(Sym) symbols[4];
    char strings[sizeof(small_strings)];
    uint32_t hash[2 + 1 + 4];
    ElfW(Rela) relocations[3];
    ElfW(Nhdr) note;
    char owner[8], id[8];
    unsigned char code[16];
    char names[sizeof(small_names)];
    ElfW(Shdr) sections[4];
};

#define SMALL_AT(member) offsetof(struct small_elf, member)

static inline void small_elf_head(struct small_elf *elf)
{
    ElfW(Ehdr) *header = &elf->header;

    memcpy(header->e_ident, ELFMAG, SELFMAG);
    header->e_ident[EI_CLASS] = SMALL_CLASS;
    header->e_ident[EI_DATA] = SMALL_DATA;
    header->e_ident[EI_VERSION] = EV_CURRENT;
    header->e_type = ET_DYN;
    header->e_machine = EM_X86_64;
    header->e_phoff = SMALL_AT(segments);
    header->e_phentsize = sizeof(ElfW(Phdr));
    header->e_phnum = 4;
    header->e_shoff = SMALL_AT(sections);
    header->e_shentsize = sizeof(ElfW(Shdr));
    header->e_shnum = 4;
    header->e_shstrndx = 2;
}

static inline void small_elf_segment(ElfW(Phdr) * segment, uint32_t type, size_t offset,
                                     size_t size)
{
    segment->p_type = type;
    segment->p_flags = PF_R | PF_X;
    segment->p_offset = segment->p_vaddr = offset;
    segment->p_filesz = segment->p_memsz = size;
}

static inline void small_elf_dynamic(ElfW(Dyn) * dynamic)
{
    const struct {
        ElfW(Sxword) tag;
        ElfW(Addr) value;
    } entries[] = {{DT_NEEDED, SMALL_LIBC},
                   {DT_RUNPATH, SMALL_PATH},
                   {DT_STRTAB, SMALL_AT(strings)},
                   {DT_STRSZ, sizeof(small_strings)},
                   {DT_SYMTAB, SMALL_AT(symbols)},
                   {DT_HASH, SMALL_AT(hash)},
                   {DT_RELA, SMALL_AT(relocations)},
                   {DT_RELASZ, sizeof(((struct small_elf *)0)->relocations)},
                   {DT_FLAGS_1, DF_1_PIE}};

    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        dynamic[i].d_tag = entries[i].tag;
        dynamic[i].d_un.d_val = entries[i].value;
    }
}

static inline void small_elf_tables(struct small_elf *elf)
{
    static const uint32_t names[] = {0, SMALL_ACCEPT, SMALL_DLOPEN, SMALL_CLOSE};

    memcpy(elf->strings, small_strings, sizeof(small_strings));
    memcpy(elf->names, small_names, sizeof(small_names));
    for (size_t i = 1; i < 4; i++) {
        elf->symbols[i].st_name = names[i];
        elf->symbols[i].st_shndx = i == 3 ? 1 : SHN_UNDEF;
        elf->relocations[i - 1].r_info = SMALL_INFO(i);
    }
    elf->hash[0] = 1;
    elf->hash[1] = 4;
    elf->note = (ElfW(Nhdr)){.n_namesz = 4, .n_descsz = 8, .n_type = 4};
    memcpy(elf->code, "\x90\x90\xb8\x20\x01\x00\x00\x0f\x05", 9); /* accept4 */
    elf->sections[1] = (ElfW(Shdr)){.sh_name = 1,
                                    .sh_type = SHT_DYNSYM,
                                    .sh_addr = SMALL_AT(symbols),
                                    .sh_offset = SMALL_AT(symbols),
                                    .sh_size = sizeof(elf->symbols)};
    elf->sections[2] = (ElfW(Shdr)){.sh_name = 9,
                                    .sh_type = SHT_STRTAB,
                                    .sh_offset = SMALL_AT(names),
                                    .sh_size = sizeof(small_names)};
}

static inline void small_elf_make(struct small_elf *elf)
{
    memset(elf, 0, sizeof(*elf));
    small_elf_head(elf);
    small_elf_segment(&elf->segments[0], PT_LOAD, 0, sizeof(*elf));
    small_elf_segment(&elf->segments[1], PT_INTERP, SMALL_AT(interpreter),
                      sizeof(elf->interpreter));
    small_elf_segment(&elf->segments[2], PT_DYNAMIC, SMALL_AT(dynamic), sizeof(elf->dynamic));
    small_elf_segment(&elf->segments[3], PT_NOTE, SMALL_AT(note),
                      sizeof(elf->note) + sizeof(elf->owner) + sizeof(elf->id));
    strcpy(elf->interpreter, "/lib64/ld-linux-x86-64.so.2");
    small_elf_dynamic(elf->dynamic);
    small_elf_tables(elf);
}

#endif
