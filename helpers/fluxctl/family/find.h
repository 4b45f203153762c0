/* SPDX-License-Identifier: MIT */
/* Finds the files of families: FLUX_RUN_DIR/PID-START (shim/boot/family_file.h). */
/* Context: a program of one thread. */

/*
 * Looked at are, in this order, the folder that is given (or FLUX_RUN_DIR), or else /run/fluxshim,
 * $XDG_RUNTIME_DIR/fluxshim, and for root those of all users, /run/user/UID/fluxshim. A family whose
 * folder is another one (also that of a chroot or a container) is found by a process of it: the kernel says what
 * that has mapped, if it is ours to ask.
 */
#ifndef FLUXCTL_FAMILY_FIND_H
#define FLUXCTL_FAMILY_FIND_H

#include <stdbool.h>
#include <sys/types.h>

#include "command.h"
#include "family/view.h"

/* The option of every command that looks for families. */
#define FIND_OPTION                                                                                \
    {                                                                                              \
        .name = "run-dir", .argument = "DIR", .text = "where to look, instead of FLUX_RUN_DIR",    \
        .completes = COMPLETES_FILE                                                                \
    }

/* Call `visit` for each family; it closes the view. `run_dir` may be NULL. */
void find_all(const char *run_dir, void (*visit)(struct family_view *view, void *argument),
              void *argument);

/* The family of which that process is a living member; or what is wrong is said. */
enum status find_one(const char *run_dir, pid_t pid, struct family_view *ret_view);

/* The same without a word. 0, or -errno. */
int find_quietly(const char *run_dir, pid_t pid, struct family_view *ret_view);

/* Remove the files of families of which nobody lives. Returns how many. */
size_t find_clean(const char *run_dir);

#endif
