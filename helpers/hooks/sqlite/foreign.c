/* SPDX-License-Identifier: MIT */
/* Looks for the database among this process's descriptors. */
/* Context: any thread; may allocate and block. */
#include "sqlite/foreign.h"

#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool is_same_file(int folder, const char *name, const struct stat *file)
{
    struct stat st;

    return fstatat(folder, name, &st, 0) == 0 && st.st_dev == file->st_dev &&
           st.st_ino == file->st_ino;
}

static bool process_has_open(const struct stat *file)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    bool found = false;

    while (folder && !found && (entry = readdir(folder))) {
        found = is_same_file(dirfd(folder), entry->d_name, file);
    }
    if (folder) {
        closedir(folder);
    }
    return found;
}

/* Whether the server uses the library that we do: then it is the same copy. Asked once: later it is
 * our own use that shows. Cleanups run one at a time. */
static bool server_shares_ours(void)
{
    static bool was_asked, shares;

    if (!was_asked) {
        was_asked = true;
        shares = sqlite3_memory_used() > 0;
    }
    return shares;
}

bool foreign_copy_has_open(const char *path)
{
    struct stat file;

    return !server_shares_ours() && stat(path, &file) == 0 && process_has_open(&file);
}
