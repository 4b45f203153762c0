/* SPDX-License-Identifier: MIT */
/* Looks at the bits of the file, its capabilities, and what of them would count. */
/* Context: a program of one thread. */
#include "program/privileges.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/xattr.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Neither counts on a mount with nosuid, nor for a process with no_new_privs. */
static bool may_gain(int fd)
{
    struct statvfs vfs;

    return !(fstatvfs(fd, &vfs) == 0 && (vfs.f_flag & ST_NOSUID)) &&
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1;
}

static bool changes_user(const struct stat *st)
{
    return (st->st_mode & S_ISUID) && (st->st_uid != getuid() || st->st_uid != geteuid());
}

/* Without the x of the group the bit means something else. */
static bool changes_group(const struct stat *st)
{
    return (st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
           (st->st_gid != getgid() || st->st_gid != getegid());
}

/* Those that are only inheritable are given to nobody who hasn't got them. */
static bool gives_capabilities(int fd)
{
    struct vfs_ns_cap_data data = {.magic_etc = 0};

    return fgetxattr(fd, XATTR_NAME_CAPS, &data, sizeof(data)) > 0 &&
           ((le32toh(data.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE) || data.data[0].permitted != 0 ||
            data.data[1].permitted != 0);
}

void privileges_look(struct report *report, int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !may_gain(fd)) {
        return;
    }
    if (changes_user(&st) || changes_group(&st)) {
        report_add(report, FINDING_SETUID, changes_user(&st) ? "setuid" : "setgid");
    }
    if (getuid() != 0 && gives_capabilities(fd)) { /* root has them all, and gains none */
        report_add(report, FINDING_CAPABILITIES, NULL);
    }
}
