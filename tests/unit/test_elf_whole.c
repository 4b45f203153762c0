/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/elf_whole: whole objects, and what is left of them. */
/* Context: a program that prints TAP; reads itself, writes into a folder of /tmp. */
#include "../../shim/engine/elf_whole.h"
#include "unit.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/elf_whole.XXXXXX", file[64];

/* The first `size` bytes of `from`. */
static void cut(const char *from, size_t size)
{
    char *text = malloc(size);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = read(in, text, size);

    if (n < 0 || write(out, text, (size_t)n) != n) {
        abort();
    }
    close(in);
    close(out);
    free(text);
}

static void put(const ElfW(Ehdr) * header)
{
    int out = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (write(out, header, sizeof(*header)) != (ssize_t)sizeof(*header)) {
        abort();
    }
    close(out);
}

static void test_headers(void)
{
    ElfW(Ehdr) header = {.e_ident = ELFMAG, .e_phentsize = sizeof(ElfW(Phdr)), .e_phnum = 1};

    header.e_ident[EI_CLASS] = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    header.e_phoff = UINT64_MAX;
    put(&header);
    unit_true("program headers at the end of all numbers", !elf_is_whole(file));
    header.e_phoff = UINT64_MAX - sizeof(ElfW(Phdr)) + 2;
    put(&header);
    unit_true("program headers around it", !elf_is_whole(file));
    header.e_phoff = sizeof(header);
    header.e_phnum = 0xffff;
    put(&header);
    unit_true("more than there can be", !elf_is_whole(file));
    header.e_phnum = 0;
    put(&header);
    unit_true("none at all is for dlopen to say", elf_is_whole(file));
}

int main(void)
{
    if (!mkdtemp(folder)) {
        return 1;
    }
    snprintf(file, sizeof(file), "%s/object", folder);
    unit_true("this program", elf_is_whole("/proc/self/exe"));
    unit_true("what isn't there", elf_is_whole(file));
    unit_true("a folder", elf_is_whole(folder));
    for (size_t size = 100; size < 8000; size += 1111) {
        cut("/proc/self/exe", size);
        unit_true("cut off", !elf_is_whole(file));
    }
    cut("/proc/self/exe", 10);
    unit_true("too short to be one", elf_is_whole(file));
    test_headers();
    unlink(file);
    rmdir(folder);
    return unit_end();
}
