/* SPDX-License-Identifier: MIT */
/* The constructor: resolves, and makes no system call that a server couldn't explain. */
/* Context: before main, single thread. */
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "boot/boot.h"
#include "sigsafe/real.h"
#include "sigsafe/safepoint.h"

/* Static, since another library's constructor can listen before ours has run. */
const struct life_gate life_gate = {
    .arm = arm_process,
    .join = join_for,
    .leave = leave_process,
    .before_fork = fork_before,
    .in_parent = fork_in_parent,
    .in_child = fork_in_child,
};

/* Socket activation (sd_listen_fds(3)): this process was handed listeners and will serve. */
static void note_inherited_listeners(void)
{
    const char *pid = getenv("LISTEN_PID");

    if (pid && strtol(pid, NULL, 10) == getpid()) {
        atomic_fetch_or(&life->work, SAFEPOINT_INHERITED);
    }
}

static void __attribute__((constructor)) start(void)
{
    real_resolve();
    if (!getauxval(AT_SECURE)) {
        note_inherited_listeners();
        join_note_exec();
    }
}
