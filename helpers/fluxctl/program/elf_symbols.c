/* SPDX-License-Identifier: MIT */
/* Reads what has names: symbols, sections, notes. */
/* Context: a program of one thread. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "program/elf_bytes.h"
#include "program/elf_file.h"

#define SYMBOL_INDEX(info)                                                                         \
    (sizeof(void *) == 8 ? (size_t)((uint64_t)(info) >> 32) : (size_t)((info) >> 8))

/* Far beyond what a linker makes. */
enum { SYMBOLS_MOST = 1 << 21, NOTES_MOST = 1 << 16 };

/* ---- sections ---- */

static int read_sections(const struct elf_file *elf, ElfW(Shdr) * *ret_sections)
{
    const ElfW(Ehdr) *header = &elf->header;

    if (elf->is_foreign || header->e_shnum == 0 || header->e_shentsize != sizeof(ElfW(Shdr))) {
        return -ENOENT;
    }
    return elf_read_part(elf, header->e_shoff, header->e_shnum * sizeof(ElfW(Shdr)), ret_sections);
}

static bool has_go_section(const struct elf_file *elf)
{
    ElfW(Shdr) *sections = NULL;
    char *names = NULL;
    size_t at = elf->header.e_shstrndx;
    bool found = false;

    if (read_sections(elf, &sections) != 0) {
        return false;
    }
    if (at < elf->header.e_shnum &&
        elf_read_part(elf, sections[at].sh_offset, sections[at].sh_size, &names) == 0) {
        for (size_t i = 0; i < elf->header.e_shnum; i++) {
            const char *name =
                sections[i].sh_name < sections[at].sh_size ? names + sections[i].sh_name : "";

            found |= strcmp(name, ".go.buildinfo") == 0 || strcmp(name, ".note.go.buildid") == 0;
        }
        free(names);
    }
    free(sections);
    return found;
}

/* In a segment of notes: the owner "Go" (cmd/internal/buildid). */
static bool has_go_note(const char *notes, size_t size)
{
    static const char go[4] = {'G', 'o', '\0', '\0'};
    ElfW(Nhdr) note;

    for (size_t at = 0; size - at >= sizeof(note) + sizeof(go);) {
        memcpy(&note, notes + at, sizeof(note));
        if (note.n_namesz == sizeof(go) && memcmp(notes + at + sizeof(note), go, sizeof(go)) == 0) {
            return true;
        }
        uint64_t more = sizeof(note) + (((uint64_t)note.n_namesz + 3) & ~UINT64_C(3)) +
                        (((uint64_t)note.n_descsz + 3) & ~UINT64_C(3));

        if (more > size - at) {
            return false;
        }
        at += more;
    }
    return false;
}

bool elf_is_go(const struct elf_file *elf)
{
    bool found = has_go_section(elf);

    for (size_t i = 0; !elf->is_foreign && !found && i < elf->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &elf->segments[i];
        char *notes;

        if (segment->p_type == PT_NOTE && segment->p_filesz <= NOTES_MOST &&
            elf_read_part(elf, segment->p_offset, segment->p_filesz, &notes) == 0) {
            found = has_go_note(notes, segment->p_filesz);
            free(notes);
        }
    }
    return found;
}

/* ---- symbols ---- */

static size_t count_by_section(const struct elf_file *elf)
{
    ElfW(Shdr) *sections = NULL;
    size_t count = 0;

    if (read_sections(elf, &sections) != 0) {
        return 0;
    }
    for (size_t i = 0; i < elf->header.e_shnum; i++) {
        if (sections[i].sh_type == SHT_DYNSYM && sections[i].sh_addr == elf->symbols) {
            count = sections[i].sh_size / sizeof(ElfW(Sym));
        }
    }
    free(sections);
    return count;
}

static size_t count_by_hash(const struct elf_file *elf)
{
    uint32_t *head, count = 0; /* nbucket, nchain: as many as there are symbols */

    if (elf->hash != 0 && elf_read_mapped(elf, elf->hash, 2 * sizeof(*head), &head) == 0) {
        count = head[1];
        free(head);
    }
    return count;
}

/* All that is imported is relocated. The GNU hash leaves just those out. */
static size_t count_by_relocations(const struct elf_file *elf)
{
    size_t count = 0;

    for (size_t table = 0; table < 2; table++) {
        size_t step = elf->relocation_size[table];
        char *relocations;

        if (step == 0 || elf->relocations[table] == 0 ||
            elf_read_mapped(elf, elf->relocations[table], elf->relocations_size[table],
                            &relocations) != 0) {
            continue;
        }
        for (size_t at = 0; elf->relocations_size[table] - at >= step; at += step) {
            ElfW(Rel) relocation; /* what a Rela begins with */

            memcpy(&relocation, relocations + at, sizeof(relocation));
            size_t index = SYMBOL_INDEX(relocation.r_info);

            count = index >= count ? index + 1 : count;
        }
        free(relocations);
    }
    return count;
}

static size_t count_symbols(const struct elf_file *elf)
{
    size_t count = count_by_section(elf);

    count = count ? count : count_by_hash(elf);
    return count ? count : count_by_relocations(elf);
}

bool elf_symbols(const struct elf_file *elf, elf_symbol_visit *visit, void *argument)
{
    ElfW(Sym) * symbols;
    size_t count = elf->symbols ? count_symbols(elf) : 0;

    if (count == 0) {
        return elf->symbols == 0;
    }
    if (count > SYMBOLS_MOST ||
        elf_read_mapped(elf, elf->symbols, count * sizeof(*symbols), &symbols) != 0) {
        return false;
    }
    for (size_t i = 1; i < count; i++) {
        if (symbols[i].st_name != 0 && symbols[i].st_name < elf->strings_size) {
            visit(elf->strings + symbols[i].st_name, symbols[i].st_shndx != SHN_UNDEF, argument);
        }
    }
    free(symbols);
    return true;
}
