/* SPDX-License-Identifier: MIT */
/* Looks at machine code. */
/* Context: a program of one thread. */
#include <elf.h>
#include <string.h>

#include "program/elf_bytes.h"
#include "program/elf_file.h"

enum { PATTERN_SIZE = 7, CHUNK = 1 << 16, SCAN_MOST = 64 << 20 };

/* mov eax, NUMBER; syscall */
static bool is_socket_call(const unsigned char *code)
{
    static const uint16_t numbers[] = {
        43 /* accept */,   45 /* recvfrom */,        44 /* sendto */,
        46 /* sendmsg */,  47 /* recvmsg */,         50 /* listen */,
        288 /* accept4 */, 425 /* io_uring_setup */, 426 /* io_uring_enter */};

    if (code[0] != 0xb8 || code[3] != 0 || code[4] != 0 || code[5] != 0x0f || code[6] != 0x05) {
        return false;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if ((code[1] | code[2] << 8) == numbers[i]) {
            return true;
        }
    }
    return false;
}

static bool chunk_has_call(const unsigned char *code, size_t size)
{
    const unsigned char *end = code + size;

    while (size >= PATTERN_SIZE && (code = memchr(code, 0xb8, (size_t)(end - code) - 6)) != NULL) {
        if (is_socket_call(code)) {
            return true;
        }
        code++;
        if (end - code < PATTERN_SIZE) {
            break;
        }
    }
    return false;
}

static bool segment_has_call(const struct elf_file *elf, const ElfW(Phdr) * segment)
{
    static unsigned char code[CHUNK];
    uint64_t most = segment->p_filesz < SCAN_MOST ? segment->p_filesz : SCAN_MOST;

    for (uint64_t at = 0; most - at >= PATTERN_SIZE;) {
        size_t size = most - at < CHUNK ? (size_t)(most - at) : CHUNK;

        if (elf_read_at(elf, segment->p_offset + at, code, size) != 0) {
            return false;
        }
        if (chunk_has_call(code, size)) {
            return true;
        }
        at += size < CHUNK ? size : CHUNK - (PATTERN_SIZE - 1); /* one may lie across */
    }
    return false;
}

bool elf_calls_kernel(const struct elf_file *elf)
{
    for (size_t i = 0; !elf->is_foreign && i < elf->header.e_phnum; i++) {
        const ElfW(Phdr) *segment = &elf->segments[i];

        if (elf->machine == EM_X86_64 && segment->p_type == PT_LOAD && (segment->p_flags & PF_X) &&
            segment_has_call(elf, segment)) {
            return true;
        }
    }
    return false;
}
