/* SPDX-License-Identifier: MIT */
/* Whether the wrappers may make a system call themselves: transfer.h. */
/* Context: arming. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "boot/boot.h"
#include "sigsafe/real.h"

static const void *object_of(const void *function)
{
    Dl_info info;

    return function && dladdr(function, &info) != 0 ? info.dli_fbase : NULL;
}

/* None that another library has wrapped as well. */
static bool are_libcs_own(void)
{
    const void *const calls[] = {
        (const void *)real.read,  (const void *)real.recv, (const void *)real.readv,
        (const void *)real.write, (const void *)real.send, (const void *)real.writev,
    };
    const void *libc = object_of(dlsym(RTLD_NEXT, "gnu_get_libc_version"));
    bool own = libc != NULL;

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        own = own && object_of(calls[i]) == libc;
    }
    return own;
}

const char *alone_find(const char *otherwise)
{
    const char *found = dlvsym(RTLD_DEFAULT, "__libc_single_threaded", "GLIBC_2.32");

    return found && are_libcs_own() ? found : otherwise;
}
