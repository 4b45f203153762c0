/* SPDX-License-Identifier: MIT */
/* Names temporaries, and finds those that nobody will rename any more. */
/* Context: while arming; makes system calls, may allocate. */
#include "engine/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME_KEPT 200 /* of the name, so that the rest fits behind it */
#define OLD_S     60

/* O_EXCL makes sure of it: without randomness (early at boot) the pid must do. */
void leftovers_name(const char *name, char temporary[NAME_MAX + 1])
{
    unsigned long long random = 0;

    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    snprintf(temporary, NAME_MAX + 1, "%.*s.%d.%016llx.tmp", NAME_KEPT, name, (int)getpid(),
             random);
}

/* The pid in the name of a temporary of `name`, 0: it is none. */
static pid_t writer_of(const char *entry, const char *name)
{
    size_t length = strnlen(name, NAME_KEPT);
    unsigned long long random;
    int pid = 0, end = 0;

    if (strncmp(entry, name, length) != 0 ||
        sscanf(entry + length, ".%d.%16llx.tmp%n", &pid, &random, &end) != 2 || end == 0) {
        return 0;
    }
    return entry[length + (size_t)end] == '\0' && pid > 0 ? pid : 0;
}

static bool is_old(int folder, const char *entry)
{
    struct stat st;

    return fstatat(folder, entry, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
           time(NULL) - st.st_mtime > OLD_S;
}

void leftovers_remove(int folder, const char *name)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;

    while (entries && (entry = readdir(entries)) != NULL) {
        pid_t pid = writer_of(entry->d_name, name);

        if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH && is_old(folder, entry->d_name)) {
            (void)unlinkat(folder, entry->d_name, 0);
        }
    }
    if (entries) {
        (void)closedir(entries);
    } else if (copy >= 0) {
        close(copy);
    }
}
