/* SPDX-License-Identifier: MIT */
/* Walks the folders, or asks /proc/PID/maps. */
/* Context: a program of one thread. */
#include "family/find.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/output.h"
#include "lib/text.h"

#define FILES_MOST 4096 /* looked at in one folder */

/* PID-START, as shim/boot/family_file.c names them. */
static bool is_family_name(const char *name)
{
    size_t pid = strspn(name, "0123456789");
    size_t start = name[pid] == '-' ? strspn(name + pid + 1, "0123456789") : 0;

    return pid > 0 && pid < 12 && start > 0 && start < 20 && name[pid + 1 + start] == '\0';
}

/* A folder --------------------------------------------------------------------------------------------- */

/* Nobody else may write to it: what is in there is its owner's word, and not anybody's. */
static bool is_trusted(int folder)
{
    struct stat st;

    return fstat(folder, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0 &&
           (st.st_uid == geteuid() || st.st_uid == 0 || geteuid() == 0);
}

struct walk {
    void (*visit)(struct family_view *view, void *argument);
    void *argument;
    bool cleans;
    size_t removed;
};

static void visit_file(struct walk *walk, int folder, const char *path, const char *name)
{
    struct family_view view;
    char whole[PATH_MAX + 64];

    (void)snprintf(whole, sizeof(whole), "%s/%s", path, name);
    if (view_open(folder, name, whole, &view) != 0) {
        return;
    }
    if (walk->cleans) {
        walk->removed += !view_awaits_heir(&view) && unlinkat(folder, name, 0) == 0;
        view_close(&view);
    } else {
        walk->visit(&view, walk->argument);
    }
}

static void walk_folder(struct walk *walk, const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 && is_trusted(fd) ? fdopendir(fd) : NULL;
    const struct dirent *entry;

    for (int i = 0; folder && i < FILES_MOST && (entry = readdir(folder)); i++) {
        if (is_family_name(entry->d_name)) {
            visit_file(walk, fd, path, entry->d_name);
        }
    }
    if (folder) {
        (void)closedir(folder);
    } else if (fd >= 0) {
        (void)close(fd);
    }
}

/* All folders ------------------------------------------------------------------------------------------ */

static void walk_users(struct walk *walk)
{
    DIR *users = opendir("/run/user");
    const struct dirent *entry;

    while (users && (entry = readdir(users))) {
        char path[PATH_MAX];

        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "/run/user/%s/fluxshim", entry->d_name);
            walk_folder(walk, path);
        }
    }
    if (users) {
        (void)closedir(users);
    }
}

static void walk_defaults(struct walk *walk)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char path[PATH_MAX];

    walk_folder(walk, "/run/fluxshim");
    if (geteuid() == 0) {
        walk_users(walk);
    } else if (runtime && runtime[0] == '/' &&
               snprintf(path, sizeof(path), "%s/fluxshim", runtime) < (int)sizeof(path)) {
        walk_folder(walk, path);
    }
}

static void walk_all(struct walk *walk, const char *run_dir)
{
    run_dir = run_dir ? run_dir : getenv("FLUX_RUN_DIR");
    if (run_dir && run_dir[0] != '\0') {
        walk_folder(walk, run_dir);
    } else {
        walk_defaults(walk);
    }
}

void find_all(const char *run_dir, void (*visit)(struct family_view *view, void *argument),
              void *argument)
{
    struct walk walk = {.visit = visit, .argument = argument};

    walk_all(&walk, run_dir);
}

size_t find_clean(const char *run_dir)
{
    struct walk walk = {.cleans = true};

    walk_all(&walk, run_dir);
    return walk.removed;
}

/* By a process ----------------------------------------------------------------------------------------- */

/* A line of proc_pid_maps(5): "BEGIN-END perms offset dev inode    PATH". */
static const char *path_in(char *line)
{
    char *path = strchr(line, '/');
    char *end = path ? strchr(path, '\n') : NULL;

    if (!end) {
        return NULL;
    }
    *end = '\0';
    char *deleted = strstr(path, " (deleted)");

    if (deleted && deleted[10] == '\0') {
        *deleted = '\0';
    }
    const char *name = strrchr(path, '/') + 1;

    return is_family_name(name) ? path : NULL;
}

/* By its name below the process's root; where that has gone, by the mapping itself (root only). */
static int open_mapping(pid_t pid, char *line, struct family_view *ret_view)
{
    char range[64], path[PATH_MAX + 64];
    size_t n = strcspn(line, " ");

    (void)snprintf(range, sizeof(range), "%.*s", (int)(n < 60 ? n : 60), line);
    const char *found = path_in(line);

    if (!found) {
        return -ENOENT;
    }
    (void)snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, found);
    int error = view_open(AT_FDCWD, path, found, ret_view);

    if (error != 0) {
        (void)snprintf(path, sizeof(path), "/proc/%d/map_files/%s", (int)pid, range);
        int fd = open(path, O_PATH | O_CLOEXEC); /* a link that the kernel follows for us */
        char by_number[64];

        (void)snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", fd);
        error = fd >= 0 ? view_open_followed(by_number, found, ret_view) : -errno;
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    return error;
}

static int find_mapped(pid_t pid, struct family_view *ret_view)
{
    char path[64], *line = NULL;
    size_t size = 0;
    int error = -ENOENT;

    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fopen(path, "re");

    if (!maps) {
        return -errno;
    }
    errno = 0;
    while (error != 0 && getline(&line, &size, maps) > 0) {
        error = open_mapping(pid, line, ret_view);
        if (error == 0 && !view_member(ret_view, pid)) {
            view_close(ret_view);
            error = -ENOENT;
        }
    }
    free(line);
    (void)fclose(maps);
    return error;
}

struct search {
    pid_t pid;
    bool found;
    struct family_view view;
};

static void visit_candidate(struct family_view *view, void *argument)
{
    struct search *search = argument;

    if (!search->found && view_is_here(view) && view_member(view, search->pid)) {
        search->found = true;
        search->view = *view;
    } else {
        view_close(view);
    }
}

/* Loaded, but not serving; or not loaded at all. */
static enum status say_why_not(pid_t pid, int error)
{
    struct process process;

    if (process_read(pid, &process) != 0) {
        say("there is no process %d", (int)pid);
        return STATUS_NOT_THERE;
    }
    if (error == -EACCES || error == -EPERM) {
        say("process %d (%s) is somebody else's: its user or root may look", (int)pid,
            text_visible(process.name));
        return STATUS_NOT_ALLOWED;
    }
    say("process %d (%s) does not run under fluxshim, or does not serve: 'fluxctl check --live %d' "
        "says more",
        (int)pid, text_visible(process.name), (int)pid);
    return STATUS_NOT_THERE;
}

int find_quietly(const char *run_dir, pid_t pid, struct family_view *ret_view)
{
    struct search search = {.pid = pid};

    find_all(run_dir, visit_candidate, &search);
    if (search.found) {
        *ret_view = search.view;
        return 0;
    }
    return find_mapped(pid, ret_view);
}

enum status find_one(const char *run_dir, pid_t pid, struct family_view *ret_view)
{
    int error = find_quietly(run_dir, pid, ret_view);

    return error == 0 ? STATUS_OK : say_why_not(pid, error);
}
