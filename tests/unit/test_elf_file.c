/* SPDX-License-Identifier: MIT */
/* Tests helpers/fluxctl/program/elf_file: what it reads, and that no file can make it read elsewhere. */
/* Context: a program that prints TAP; single-threaded. */
#include "program/elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "small_elf.h"
#include "unit.h"

static int fd;

static void put(const void *bytes, size_t size)
{
    if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, size, 0) != (ssize_t)size) {
        abort();
    }
}

struct seen {
    unsigned imported, defined;
    bool accept;
};

static void note(const char *name, bool is_defined, void *argument)
{
    struct seen *seen = argument;

    seen->imported += !is_defined;
    seen->defined += is_defined;
    seen->accept |= strcmp(name, "accept") == 0;
}

/* Everything that there is to be called. */
static int read_all(struct seen *seen)
{
    struct elf_file elf;
    int error = elf_read(fd, &elf);

    *seen = (struct seen){.imported = 0};
    if (error == 0) {
        (void)elf_symbols(&elf, note, seen);
        (void)elf_is_go(&elf);
        (void)elf_calls_kernel(&elf);
        elf_free(&elf);
    }
    return error;
}

static void expect_symbols(const char *name, const struct small_elf *small)
{
    struct seen seen;

    put(small, sizeof(*small));
    unit_equal(name, read_all(&seen), 0);
    unit_equal("imported", seen.imported, 2);
    unit_equal("defined", seen.defined, 1);
    unit_true("by name", seen.accept);
}

static void test_symbols(void)
{
    struct small_elf small;

    small_elf_make(&small);
    expect_symbols("symbols counted by the section", &small);
    small.header.e_shnum = 0;
    expect_symbols("by the hash", &small);
    small.dynamic[5].d_tag = DT_DEBUG;
    expect_symbols("by the relocations", &small);
}

static void test_facts(void)
{
    struct small_elf small;
    struct elf_file elf;

    small_elf_make(&small);
    put(&small, sizeof(small));
    if (!unit_equal("a whole one", elf_read(fd, &elf), 0)) {
        return;
    }
    unit_text("loader", elf.interpreter, "/lib64/ld-linux-x86-64.so.2");
    unit_equal("libraries", (long long)elf.needed_count, 1);
    unit_text("the first", elf.needed[0], "libc.so.6");
    unit_text("runpath", elf.runpath, "/opt/lib");
    unit_true("no rpath", elf.rpath == NULL);
    unit_true("a PIE", elf.is_pie);
    unit_true("not of Go", !elf_is_go(&elf));
    unit_true("calls the kernel", elf_calls_kernel(&elf));
    elf_free(&elf);
}

static bool is_go(const struct small_elf *small)
{
    struct elf_file elf;

    put(small, sizeof(*small));
    if (elf_read(fd, &elf) != 0) {
        return false;
    }
    bool go = elf_is_go(&elf);

    elf_free(&elf);
    return go;
}

static void test_go(void)
{
    struct small_elf small;

    small_elf_make(&small);
    small.sections[3].sh_name = 19;
    unit_true("Go by a section", is_go(&small));
    small_elf_make(&small);
    memcpy(small.owner, "Go\0\0", 4);
    small.header.e_shnum = 0;
    unit_true("Go by a note", is_go(&small));
}

static void test_foreign(void)
{
    struct small_elf small;
    struct elf_file elf;

    small_elf_make(&small);
    small.header.e_ident[EI_CLASS] = SMALL_CLASS == ELFCLASS64 ? ELFCLASS32 : ELFCLASS64;
    put(&small, 20);
    unit_equal("another word size, of which there is the head alone", elf_read(fd, &elf), 0);
    unit_true("is foreign", elf.is_foreign);
    elf_free(&elf);
    small_elf_make(&small);
    small.header.e_ident[EI_DATA] = SMALL_DATA == ELFDATA2LSB ? ELFDATA2MSB : ELFDATA2LSB;
    small.header.e_machine = __builtin_bswap16(EM_S390);
    put(&small, 20);
    unit_equal("another byte order", elf_read(fd, &elf), 0);
    unit_text("machine", elf_machine_name(elf.machine), "s390");
    elf_free(&elf);
    put("#!/bin/sh\n", 10);
    unit_equal("a script", elf_read(fd, &elf), -ENOEXEC);
    put("", 0);
    unit_equal("nothing", elf_read(fd, &elf), -ENOEXEC);
}

/* The segment that is loaded says how long the file must be. */
static void test_cut(void)
{
    struct small_elf small;
    struct seen seen;
    size_t taken = 0;

    small_elf_make(&small);
    for (size_t size = 0; size < sizeof(small); size++) {
        put(&small, size);
        taken += read_all(&seen) == 0;
    }
    unit_equal("cut off at each length: taken for whole", (long long)taken, 0);
}

/* That it ends, and AddressSanitizer has nothing to say. */
static void test_flips(void)
{
    struct small_elf small;
    struct seen seen;
    size_t refused = 0;

    for (size_t bit = 0; bit < 8 * sizeof(small); bit++) {
        small_elf_make(&small);
        ((unsigned char *)&small)[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put(&small, sizeof(small));
        refused += read_all(&seen) != 0;
    }
    unit_true("each bit turned", refused > 100);
}

/* The numbers at which sums wrap around, in each place where a number may be. */
static void test_extremes(void)
{
    static const uint64_t numbers[] = {UINT64_MAX, UINT64_MAX / 2, UINT64_MAX - 63, UINT32_MAX, 1};
    struct small_elf small;
    struct seen seen;
    size_t refused = 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        for (size_t at = 16; at + 8 <= sizeof(small); at += 4) {
            small_elf_make(&small);
            memcpy((char *)&small + at, &numbers[i], sizeof(numbers[i]));
            put(&small, sizeof(small));
            refused += read_all(&seen) != 0;
        }
    }
    unit_true("numbers at their ends", refused > 50);
}

int main(void)
{
    fd = memfd_create("elf", MFD_CLOEXEC);
    test_facts();
    test_symbols();
    test_go();
    test_foreign();
    test_cut();
    test_flips();
    test_extremes();
    unit_true("its own machine is known", elf_native_machine() != 0);
    close(fd);
    return unit_end();
}
