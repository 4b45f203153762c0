/* SPDX-License-Identifier: MIT */
/* fork(): the child is as it would be bare, until it accepts connections itself. */
/* Context: the forking thread, and its child; never blocks. */
#include <pthread.h>

#include "boot/boot.h"
#include "sigsafe/refuse.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"

/* The page is wiped in the child: what it needs of it waits here. Written under libc's fork lock.
 */
static struct {
    uint64_t managed;
    uint64_t blocked;
    uint32_t masks_virtual;
} parent;

void fork_before(void)
{
    bool virtual = life_armed() && !life_released();

    parent.managed = virtual ? atomic_load(&life->managed) : 0;
    parent.blocked = virtual ? atomic_load(&life->blocked) : 0;
    parent.masks_virtual = virtual ? atomic_load(&life->masks_virtual) : 0;
}

void fork_in_child(void)
{
    atomic_store(&safepoint_work, 0);
    atomic_store(&safepoint_threads, 0);
    life_thread.wait_frame = 0;
    life_thread.owns_masks = 0;
    refuse_forget();
    if (parent.managed == 0) {
        return;
    }
    atomic_store(&life->managed, parent.managed);
    atomic_store(&life->blocked, parent.blocked);
    atomic_store(&life->masks_virtual, parent.masks_virtual);
    hold_forget_in_child();
    atomic_store(&life->managed, 0);
    atomic_store(&life->blocked, 0);
}

void atfork_register(void)
{
    (void)pthread_atfork(fork_before, NULL, fork_in_child);
}
