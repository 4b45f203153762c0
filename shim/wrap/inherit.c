/* SPDX-License-Identifier: MIT */
/* Compares descriptors of a child with our connections. */
/* Context: AS-Safe, MT-Safe; makes system calls, never blocks. */
#include "wrap/inherit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/process.h"
#include "sigsafe/real.h"
#include "wrap/wrap.h"

static uint32_t table_end(void)
{
    return atomic_load_explicit(&fdtab.high, memory_order_relaxed);
}

bool inherit_by_exec(void)
{
    for (uint32_t fd = 0; fd < table_end(); fd++) {
        if ((fdtab_kind((int)fd) & FD_CONNECTION) &&
            !(real.fcntl((int)fd, F_GETFD, NULL) & FD_CLOEXEC)) {
            return true;
        }
    }
    return false;
}

static bool is_a_connection(const struct stat *its)
{
    struct stat ours;

    for (uint32_t fd = 0; fd < table_end(); fd++) {
        if ((fdtab_kind((int)fd) & FD_CONNECTION) && fstat((int)fd, &ours) == 0 &&
            ours.st_ino == its->st_ino && ours.st_dev == its->st_dev) {
            return true;
        }
    }
    return false;
}

/* Standard input, output and errors: whatever is handed to a program is there. */
static bool has_it_as_standard(pid_t child)
{
    char path[PROCESS_PATH];
    struct stat its;

    for (unsigned fd = 0; fd <= 2; fd++) {
        process_fd_path(child, fd, path);
        if (stat(path, &its) == 0 && S_ISSOCK(its.st_mode) && is_a_connection(&its)) {
            return true;
        }
    }
    return false;
}

void inherit_note_child(pid_t child)
{
    int saved = errno;

    if (family_self() && !life_thread.in_vfork && fdtab_has_connections() &&
        (inherit_by_exec() || has_it_as_standard(child))) {
        family_spawned(child);
    }
    errno = saved;
}
