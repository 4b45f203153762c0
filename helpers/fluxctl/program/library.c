/* SPDX-License-Identifier: MIT */
/* Looks for libfluxshim.so. */
/* Context: a program of one thread. */
#include "program/library.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program/libraries.h"

#ifndef FLUXCTL_LIBDIR
#define FLUXCTL_LIBDIR "/usr/local/lib"
#endif

#define NAME "libfluxshim.so"

/* The folder of fluxctl; cut off behind a slash. */
static bool own_folder(char folder[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", folder, PATH_MAX - 1);

    if (n <= 0) {
        return false;
    }
    folder[n] = '\0';
    char *slash = strrchr(folder, '/');

    if (!slash) {
        return false;
    }
    *slash = '\0';
    return true;
}

static bool is_there(const char *folder, const char *below, char *path)
{
    int n = snprintf(path, PATH_MAX, "%s%s/" NAME, folder, below);

    return n < PATH_MAX && access(path, R_OK) == 0;
}

bool library_find(char ret_path[PATH_MAX])
{
    char folder[PATH_MAX];

    if (own_folder(folder)) {
        if (is_there(folder, "", ret_path)) {
            return true;
        }
        char *slash = strrchr(folder, '/');

        if (slash) {
            *slash = '\0';
            if (is_there(folder, "/lib", ret_path)) {
                return true;
            }
        }
    }
    if (is_there(FLUXCTL_LIBDIR, "", ret_path)) {
        return true;
    }
    (void)strlcpy(ret_path, NAME, PATH_MAX);
    return libraries_has(NAME);
}

int library_absolute(const char *path, char ret_path[PATH_MAX])
{
    char folder[PATH_MAX] = "";

    if (access(path, R_OK) != 0 || (path[0] != '/' && !getcwd(folder, sizeof(folder)))) {
        return -errno;
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 1 + strspn(path + 1, "/");
    }
    int n = snprintf(ret_path, PATH_MAX, "%s%s%s", folder, path[0] == '/' ? "" : "/", path);

    return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}
