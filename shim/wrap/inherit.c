/* SPDX-License-Identifier: MIT */
/* Compares what a child has open with our connections. */
/* Context: AS-Safe, MT-Safe; makes system calls, never blocks. */
#include "wrap/inherit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

static bool is_this_connection(int fd, const struct stat *its)
{
    struct stat ours;

    return (fdtab_kind(fd) & FD_CONNECTION) && fstat(fd, &ours) == 0 &&
           ours.st_ino == its->st_ino && ours.st_dev == its->st_dev;
}

static bool is_a_connection(const struct stat *its)
{
    for (uint32_t fd = 0; fd < table_end(); fd++) {
        if (is_this_connection((int)fd, its)) {
            return true;
        }
    }
    return false;
}

/* What it has inherited keeps its number, but for its standard files, which are what is given to it. */
static bool is_inherited(int fd, void *child)
{
    char path[PROCESS_PATH];
    struct stat its;

    if (fd > STDERR_FILENO && !(fdtab_kind(fd) & FD_CONNECTION)) {
        return false;
    }
    process_fd_path(*(const pid_t *)child, (unsigned)fd, path);
    if (stat(path, &its) != 0 || !S_ISSOCK(its.st_mode)) {
        return false;
    }
    return fd > STDERR_FILENO ? is_this_connection(fd, &its) : is_a_connection(&its);
}

void inherit_note_child(pid_t child)
{
    char folder[PROCESS_PATH];
    int saved = errno;

    if (family_self() && !life_thread.in_vfork && fdtab_has_connections()) {
        process_fd_folder(child, folder);
        if (process_each_number(folder, is_inherited, &child)) {
            family_spawned(child);
        }
    }
    errno = saved;
}
