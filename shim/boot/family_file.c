/* SPDX-License-Identifier: MIT */
/* Makes, finds and removes files in FLUX_RUN_DIR. */
/* Context: arming and the end of a process; may allocate and block. */
#include "boot/family_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sigsafe/family.h"
#include "sigsafe/log.h"
#include "sigsafe/process.h"
#include "sigsafe/real.h"

#define FILES_MOST 4096 /* looked at in one folder */
#define FOLDER_SIZE                                                                                \
    (SETTINGS_PATH_SIZE + sizeof("/fluxshim")) /* a thread may have 16 KiB of stack */

/* What this process, or the one that it was forked from, has made. */
static struct {
    const char *path; /* part of family_entry, NULL: none */
    dev_t device;
    ino_t inode;
} own;

/* The folder ------------------------------------------------------------------------------------- */

static bool default_folder(char *ret_path, size_t size)
{
    const char *runtime = secure_getenv("XDG_RUNTIME_DIR");

    if (geteuid() == 0) {
        return snprintf(ret_path, size, "/run/fluxshim") < (int)size;
    }
    return runtime && runtime[0] == '/' &&
           snprintf(ret_path, size, "%s/fluxshim", runtime) < (int)size;
}

static bool folder_of(const char *run_dir, char *ret_path, size_t size)
{
    if (run_dir[0] != '\0') {
        return snprintf(ret_path, size, "%s", run_dir) < (int)size;
    }
    return default_folder(ret_path, size);
}

/* Whoever can write to it could put a file of his own under a name that we trust. */
static bool is_ours_alone(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* A descriptor, or -errno. */
static int open_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    if (!is_ours_alone(fd)) {
        (void)real.close(fd);
        return -EPERM;
    }
    return fd;
}

/* Files --------------------------------------------------------------------------------------------- */

static void *map_file(int fd)
{
    void *page =
        mmap(NULL, sizeof(struct family_layout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    return page == MAP_FAILED ? NULL : page;
}

static bool is_a_family(const struct family_layout *layout)
{
    return layout->magic == FAMILY_MAGIC && layout->version == FAMILY_VERSION &&
           layout->size == sizeof(*layout);
}

/* A regular file of root's or of ours, just as large as it has to be: no access to it can fail. */
static struct family_layout *map_checked(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct family_layout *layout = NULL;
    struct stat st;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_ours_alone(fd) &&
        st.st_size == (off_t)sizeof(struct family_layout)) {
        layout = map_file(fd);
    }
    if (fd >= 0) {
        (void)real.close(fd);
    }
    if (layout && !is_a_family(layout)) {
        (void)munmap(layout, sizeof(*layout));
        layout = NULL;
    }
    return layout;
}

/* "PID-START" */
static bool parse_name(const char *name, pid_t *ret_pid, int64_t *ret_began_ms)
{
    long pid, began;
    int end = 0;

    if (sscanf(name, "%ld-%ld%n", &pid, &began, &end) != 2 || name[end] != '\0' || pid <= 0 ||
        pid > INT_MAX || began < 0) {
        return false;
    }
    *ret_pid = (pid_t)pid;
    *ret_began_ms = began;
    return true;
}

/* Calls `look` for each family's file in the folder until it says so. */
static void for_each(const char *path, bool (*look)(int folder, const char *name, void *argument),
                     void *argument)
{
    int fd = open_folder(path);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    bool found = false;

    for (int i = 0; folder && !found && i < FILES_MOST && (entry = readdir(folder)); i++) {
        pid_t pid;
        int64_t began;

        found = parse_name(entry->d_name, &pid, &began) && look(fd, entry->d_name, argument);
    }
    if (folder) {
        (void)closedir(folder);
    } else if (fd >= 0) {
        (void)real.close(fd);
    }
}

/* Two containers can share the folder: the other one's pids mean nothing here. */
static uint32_t pid_namespace(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? (uint32_t)st.st_ino : 0;
}

/* Founding -------------------------------------------------------------------------------------------- */

static bool has_living_member(const struct family_layout *layout)
{
    for (uint32_t i = 0; i < FAMILY_MOST; i++) {
        pid_t pid = (pid_t)atomic_load(&layout->members[i].pid);

        if (pid > 0 && !process_is_gone(pid, atomic_load(&layout->members[i].alive_ms))) {
            return true;
        }
    }
    return false;
}

/* Nobody of that family is there any more. */
static bool is_left_over(int folder, const char *name)
{
    pid_t pid;
    int64_t began;

    if (!parse_name(name, &pid, &began) || !process_is_gone(pid, began)) {
        return false;
    }
    struct family_layout *layout = map_checked(folder, name);
    bool alive = layout && (layout->pid_namespace != pid_namespace() || has_living_member(layout));

    if (layout) {
        (void)munmap(layout, sizeof(*layout));
    }
    return !alive;
}

static bool sweep_one(int folder, const char *name, void *unused)
{
    (void)unused;
    if (is_left_over(folder, name)) {
        (void)unlinkat(folder, name, 0);
    }
    return false;
}

static int64_t own_start_ms(void)
{
    struct process_stat stat;

    return process_stat(getpid(), &stat) == 0 ? stat.began_ms : 0;
}

/* A file of this name is this very process's, from before an exec. */
static int make_file(int folder, const char *name)
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(folder, name, flags, 0600);

    if (fd < 0 && errno == EEXIST && unlinkat(folder, name, 0) == 0) {
        fd = openat(folder, name, flags, 0600);
    }
    return fd;
}

static void remember(const char *folder, const char *name, const struct stat *st)
{
    int size = snprintf(family_entry, sizeof(family_entry), FAMILY_VARIABLE "=%s%s", folder, name);

    own.path = size < (int)sizeof(family_entry) ? family_entry + sizeof(FAMILY_VARIABLE) : NULL;
    own.device = st->st_dev;
    own.inode = st->st_ino;
    if (!own.path) {
        family_entry[0] = '\0';
    }
}

static struct family_layout *create_in(int folder, const char *path)
{
    struct family_layout *layout = NULL;
    struct stat st;
    char name[64]; /* with the slash before it */

    (void)snprintf(name, sizeof(name), "/%d-%lld", (int)getpid(), (long long)own_start_ms());
    int fd = make_file(folder, name + 1);

    if (fd < 0) {
        return NULL;
    }
    if (posix_fallocate(fd, 0, sizeof(*layout)) == 0) { /* a full disk would be a SIGBUS later */
        layout = map_file(fd);
    }
    if (layout && fstat(fd, &st) == 0) {
        layout->pid_namespace = pid_namespace();
        remember(path, name, &st);
    } else {
        (void)unlinkat(folder, name + 1, 0);
    }
    (void)real.close(fd);
    return layout;
}

/* The program may change its folder. */
static struct family_layout *create_below(int folder, const char *path)
{
    char *absolute = realpath(path, NULL);
    struct family_layout *layout = create_in(folder, absolute ? absolute : path);
    int error = errno;

    free(absolute);
    errno = error;
    return layout;
}

static void tell(const char *run_dir, const char *path, int error)
{
    log_line(run_dir[0] != '\0' ? SETTINGS_LOG_WARN : SETTINGS_LOG_INFO,
             "no file in %s (%s): programs that this one starts can't join its family", path,
             error == EPERM ? "others can write to it" : strerror(error));
}

static struct family_layout *create_named(const char *run_dir)
{
    char path[FOLDER_SIZE];

    if (!folder_of(run_dir, path, sizeof(path))) {
        return NULL; /* nobody has said where */
    }
    (void)mkdir(path, geteuid() == 0 ? 0755 : 0700);
    int folder = open_folder(path);
    struct family_layout *layout = folder >= 0 ? create_below(folder, path) : NULL;

    if (!layout) {
        tell(run_dir, path, folder < 0 ? -folder : errno);
    }
    if (folder >= 0) {
        (void)real.close(folder);
        for_each(path, sweep_one, NULL);
    }
    return layout;
}

struct family_layout *family_file_create(const char *run_dir)
{
    struct family_layout *layout = create_named(run_dir);
    void *page;

    if (layout) {
        return layout;
    }
    page = mmap(NULL, sizeof(*layout), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

/* Finding and removing --------------------------------------------------------------------------------- */

struct search {
    bool (*fits)(struct family_layout *layout, void *argument);
    void *argument;
    struct family_layout *found;
};

static bool look(int folder, const char *name, void *argument)
{
    struct search *search = argument;
    struct family_layout *layout = map_checked(folder, name);

    if (layout && layout->pid_namespace == pid_namespace() &&
        search->fits(layout, search->argument)) {
        search->found = layout;
    } else if (layout) {
        (void)munmap(layout, sizeof(*layout));
    }
    return search->found != NULL;
}

struct family_layout *family_file_find(const char *run_dir,
                                       bool (*fits)(struct family_layout *layout, void *argument),
                                       void *argument)
{
    struct search search = {.fits = fits, .argument = argument};
    char path[FOLDER_SIZE];

    if (folder_of(run_dir, path, sizeof(path))) {
        for_each(path, look, &search);
    }
    return search.found;
}

struct family_layout *family_file_open(const char *path)
{
    struct family_layout *layout = map_checked(AT_FDCWD, path);
    struct stat st;

    if (layout && family_knows(layout, getpid()) && stat(path, &st) == 0) {
        remember(path, "", &st);
        return layout;
    }
    if (layout) {
        (void)munmap(layout, sizeof(*layout));
    }
    return NULL;
}

/* In a chroot the same path may mean another file. */
void family_file_remove(void)
{
    struct stat st;

    if (own.path && lstat(own.path, &st) == 0 && st.st_dev == own.device &&
        st.st_ino == own.inode) {
        (void)unlink(own.path);
    }
}
