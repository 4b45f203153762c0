/* SPDX-License-Identifier: MIT */
/* The engine's allocations are the program's: one allocator for what libc hands out and we free. */
/* Context: as malloc. */

/*
 * RTLD_DEEPBIND binds this object's malloc and free to libc's own, but strdup or realpath inside
 * libc allocate with whatever the program brought along (redis: jemalloc). Freed by libc, such a
 * block crashes. So the link replaces the four names (ld --wrap) with what the shim sees, and
 * cJSON is told to do the same (json.c).
 */
#include <stddef.h>

#include "engine/shim.h"

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

void *__wrap_malloc(size_t size)
{
    return shim->malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return shim->calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return shim->realloc(block, size);
}

void __wrap_free(void *block)
{
    shim->free(block);
}
