/* SPDX-License-Identifier: MIT */
/* Addresses and sizes of this process's tables. */
/* Context: AS-Safe, MT-Safe, never blocks; tables_describe() is for arming only. */
#include "sigsafe/tables.h"

#include <stddef.h>

#include "sigsafe/fdtab.h"
#include "sigsafe/listeners.h"

_Static_assert(sizeof(((struct listener *)0)->accepted[0]) == 64, "stripes are 64 bytes apart");

struct process_tables tables;

void tables_describe(void)
{
    tables = (struct process_tables){
        .magic = PROCESS_TABLES_MAGIC,
        .size = sizeof(tables),
        .entries = (uintptr_t)fdtab.entries,
        .entry_count = atomic_load(&fdtab.size),
        .listeners = (uintptr_t)listeners,
        .listener_count = LISTENERS_MOST,
        .listener_size = sizeof(struct listener),
        .accepted_offset = offsetof(struct listener, accepted),
        .stripes = LISTENER_STRIPES,
    };
}
