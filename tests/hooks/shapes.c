/* SPDX-License-Identifier: MIT */
/* Hooks whose constant is not what this shim knows: one for each value of SHAPE. */
#include <stddef.h>
#include <stdlib.h>

#include "fluxshim.h"

#ifndef SHAPE
#define SHAPE 0 /* as it should be */
#endif

enum { ABI_2 = 1, NO_SIZE, SMALL, LARGE, NO_NAME, PRIORITY, SCOPE };

static int64_t save(void *instance, char *buffer, uint64_t size)
{
    (void)instance;
    (void)buffer;
    (void)size;
    abort(); /* behind the size that SMALL names: never to be called */
}

static int cleanup(void *instance)
{
    (void)instance;
    return 0;
}

/* As a header to come might have it. */
struct larger {
    struct flux_hook known;
    void (*unknown[8])(void);
};

#define SIZE                                                                                       \
    (SHAPE == NO_SIZE ? 8                                                                          \
     : SHAPE == SMALL ? offsetof(struct flux_hook, save)                                           \
     : SHAPE == LARGE ? sizeof(struct larger)                                                      \
                      : sizeof(struct flux_hook))

FLUX_EXPORT const struct larger larger_hook __asm__("flux_hook") = {
    .known =
        {
            .abi = SHAPE == ABI_2 ? 2 : FLUX_HOOK_ABI,
            .size = SIZE,
            .name = SHAPE == NO_NAME ? "" : "shapes",
            .priority = SHAPE == PRIORITY ? FLUX_PRIORITY_MOST + 1 : FLUX_PRIORITY_DEFAULT,
            .scope = SHAPE == SCOPE ? 2 : FLUX_SCOPE_FAMILY,
            .cleanup = cleanup,
            .save = SHAPE == SMALL ? save : NULL,
        },
    .unknown = {abort},
};
