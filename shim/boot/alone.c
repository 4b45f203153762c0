/* SPDX-License-Identifier: MIT */
/* Whether the wrappers may make a system call themselves: transfer.h. */
/* Context: arming. */
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>

#include "boot/boot.h"
#include "sigsafe/real.h"

/* The segment that an address lies in. (dladdr(3) would go through all of libc's symbols each time.) */
struct segment {
    uintptr_t of, begin, end;
};

static int find_segment(struct dl_phdr_info *object, size_t size, void *segment)
{
    struct segment *found = segment;

    (void)size;
    for (int i = 0; i < object->dlpi_phnum && found->end == 0; i++) {
        const ElfW(Phdr) *header = &object->dlpi_phdr[i];
        uintptr_t begin = object->dlpi_addr + header->p_vaddr;

        if (header->p_type == PT_LOAD && found->of - begin < header->p_memsz) {
            found->begin = begin;
            found->end = begin + header->p_memsz;
        }
    }
    return found->end != 0;
}

/* None that another library has wrapped as well. */
static bool are_libcs_own(void)
{
    const uintptr_t calls[] = {
        (uintptr_t)real.read,    (uintptr_t)real.recv,    (uintptr_t)real.readv,
        (uintptr_t)real.recvmsg, (uintptr_t)real.write,   (uintptr_t)real.send,
        (uintptr_t)real.writev,  (uintptr_t)real.sendmsg, (uintptr_t)real.close,
        (uintptr_t)real.accept,  (uintptr_t)real.accept4,
    };
    struct segment libc = {.of = (uintptr_t)dlsym(RTLD_NEXT, "gnu_get_libc_version")};
    bool own = dl_iterate_phdr(find_segment, &libc) != 0;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        own = own && calls[i] >= libc.begin && calls[i] < libc.end;
    }
    return own;
}

const char *alone_find(const char *otherwise)
{
    const char *found = dlvsym(RTLD_DEFAULT, "__libc_single_threaded", "GLIBC_2.32");

    return found && are_libcs_own() ? found : otherwise;
}
