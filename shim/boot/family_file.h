/* SPDX-License-Identifier: MIT */
/* The family's shared memory as a file, by which programs that were exec'd and fluxctl find it. */
/* Context: arming and the end of a process; may allocate and block. */

/*
 * FLUX_RUN_DIR/PID-START: the process that founded the family, and its start time as process.h has it.
 * Mode 0600, in a folder that nobody else can write to. The default folder is /run/fluxshim for root
 * and $XDG_RUNTIME_DIR/fluxshim for others, made if it isn't there. Without a folder the memory has no
 * name: forked members are the same, exec'd ones can't join.
 *
 * The file goes when the family's owner ends. One that is left (SIGKILL, a folder that the server
 * may not write to any more) is removed by the next family that is founded in this folder, unless that
 * lives in another pid namespace: containers that share a folder leave each other's files alone.
 */
#ifndef FLUXSHIM_BOOT_FAMILY_FILE_H
#define FLUXSHIM_BOOT_FAMILY_FILE_H

#include <stdbool.h>

#include "format/family_layout.h"

/* Zeroed memory to share, with a name if that can be. NULL with errno. */
struct family_layout *family_file_create(const char *run_dir);

/* The first family in the folder for which `fits` is true, mapped; or NULL. */
struct family_layout *family_file_find(const char *run_dir,
                                       bool (*fits)(struct family_layout *layout, void *argument),
                                       void *argument);

/* The family of this path, of which this process was a member before an exec; or NULL. */
struct family_layout *family_file_open(const char *path);

/* Take the name away, if it is this process's or its parents' (inherited by fork). */
void family_file_remove(void);

#endif
