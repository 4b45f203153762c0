/* SPDX-License-Identifier: MIT */
/* fork(): the child is a member of the family, with no signal held and no thread. */
/* Context: the forking thread, and its child; never blocks. */
#include <pthread.h>
#include <sys/syscall.h>

#include "boot/boot.h"
#include "sigsafe/crash.h"
#include "sigsafe/direct.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/real.h"
#include "sigsafe/saving.h"
#include "sigsafe/sigdisp.h"

/*
 * In a single-threaded program managed signals are open in the kernel. One that comes to the child
 * before it is a member would find a handler without a memory: none may come until then.
 */
FORK_PATH static void shut_signals(void)
{
    sigset_t all, open;

    (void)sigfillset(&all);
    (void)real.pthread_sigmask(SIG_SETMASK, &all, &open);
    life_thread.fork_mask = sigdisp_from_set(&open);
}

FORK_PATH static void open_signals(void)
{
    if (life_thread.fork_virtual) {
        (void)direct_call_six(SYS_rt_sigprocmask, SIG_SETMASK, (long)&life_thread.fork_mask, 0,
                              sizeof(life_thread.fork_mask), 0, 0);
    }
}

/* The page is wiped in the child: what it needs of it waits in the thread that forks. */
FORK_PATH void fork_before(void)
{
    bool holds = life_armed() && !life_released();

    life_thread.fork_managed = holds ? atomic_load(&life->managed) : 0;
    life_thread.fork_blocked = holds ? atomic_load(&life->blocked) : 0;
    life_thread.fork_virtual = holds && atomic_load(&life->masks_virtual);
    if (life_thread.fork_virtual) {
        shut_signals();
    }
    life_thread.fork_sandboxed = atomic_load(&life->sandboxed) != 0;
    life_thread.fork_guarded = atomic_load(&life->guarded) != 0 || life_thread.hook;
    family_before_fork(fdtab_lend());
}

FORK_PATH void fork_in_parent(void)
{
    open_signals();
}

FORK_PATH static void go_on(void)
{
    atomic_store(&life->managed, life_thread.fork_managed);
    atomic_store(&life->blocked, life_thread.fork_blocked);
    atomic_store(&life->masks_virtual, life_thread.fork_virtual);
    if (family_self()) {
        hold_go_on_in_child();
        open_signals();
        saving_go_on_in_child();
    } else {
        open_signals();
        hold_forget_in_child();
        atomic_store(&life->managed, 0);
        atomic_store(&life->blocked, 0);
    }
}

FORK_PATH void fork_in_child(void)
{
    life_thread.owns_masks = 0;
    if (life_thread.fork_guarded) {
        crash_forget_in_child();
    }
    family_in_child();
    if (life_thread.fork_sandboxed) {
        atomic_store(&life->sandboxed, 1);
        fdtab_shut();
        family_become_passive();
    } else if (!life_thread.fork_virtual) {
        sigdisp_open_tell();
    }
    if (life_thread.fork_managed != 0) {
        go_on();
    }
}

void atfork_register(void)
{
    (void)pthread_atfork(fork_before, fork_in_parent, fork_in_child);
}
