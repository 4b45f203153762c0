/* SPDX-License-Identifier: MIT */
/* Reads /proc/PID. */
/* Context: a program of one thread. */
#include "family/process.h"

#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_S 1000

/* Numbers of fields, proc_pid_stat(5). */
enum { FIELD_STATE = 3, FIELD_BEGAN = 22 };

static int read_file(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return errno == ENOENT ? -ESRCH : -errno;
    }
    ssize_t n = read(fd, text, size - 1);
    int error = n < 0 ? -errno : 0;

    (void)close(fd);
    text[n > 0 ? n : 0] = '\0';
    return error;
}

/* "PID (NAME) STATE ...": the name may hold anything, so its end is the last parenthesis. */
static int parse_stat(char *text, struct process *process)
{
    char *begin = strchr(text, '('), *end = strrchr(text, ')');

    if (!begin || !end || end < begin || end[1] != ' ') {
        return -ESRCH;
    }
    *end = '\0';
    (void)strlcpy(process->name, begin + 1, sizeof(process->name));
    char *at = end + 2;

    process->state = *at;
    for (int field = FIELD_STATE; at && field < FIELD_BEGAN; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    process->began_ms = at ? strtoll(at, NULL, 10) * (MS_PER_S / sysconf(_SC_CLK_TCK)) : 0;
    return at ? 0 : -ESRCH;
}

int process_read(pid_t pid, struct process *ret_process)
{
    char text[1024], path[64];
    struct process process = {.name = ""};
    struct stat st;
    int error = read_file(pid, "stat", text, sizeof(text));

    if (error == 0) {
        error = parse_stat(text, &process);
    }
    (void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    if (error == 0 && stat(path, &st) != 0) {
        error = -ESRCH;
    }
    if (error == 0) {
        process.uid = st.st_uid;
        *ret_process = process;
    }
    return error;
}

bool process_lives(pid_t pid, int64_t alive_ms)
{
    struct process process;

    return pid > 0 && process_read(pid, &process) == 0 && process.state != 'Z' &&
           process.state != 'X' && (alive_ms <= 0 || process.began_ms <= alive_ms);
}

uint64_t process_namespace(pid_t pid, const char *kind)
{
    char path[64];
    struct stat st;

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static bool inode_of(int folder, const char *name, uint64_t *ret_inode)
{
    char target[64];
    ssize_t n = readlinkat(folder, name, target, sizeof(target) - 1);

    target[n > 0 ? n : 0] = '\0';
    return sscanf(target, "socket:[%" SCNu64 "]", ret_inode) == 1;
}

int process_each_socket(pid_t pid, void (*visit)(int fd, uint64_t inode, void *argument),
                        void *argument)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    const struct dirent *entry;

    if (!folder) {
        return errno == ENOENT ? -ESRCH : -errno;
    }
    while ((entry = readdir(folder))) {
        uint64_t inode;

        if (entry->d_name[0] != '.' && inode_of(dirfd(folder), entry->d_name, &inode)) {
            visit(atoi(entry->d_name), inode, argument);
        }
    }
    (void)closedir(folder);
    return 0;
}

/* The kernel's own word (proc_stat(5)): a difference of two clocks would be another one each time. */
int64_t process_boot_s(void)
{
    char *line = NULL;
    size_t size = 0;
    int64_t boot = 0;
    FILE *file = fopen("/proc/stat", "re");

    while (file && boot == 0 && getline(&line, &size, file) > 0) {
        boot = strncmp(line, "btime ", 6) == 0 ? strtoll(line + 6, NULL, 10) : 0;
    }
    free(line);
    if (file) {
        (void)fclose(file);
    }
    return boot;
}

int64_t process_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

int64_t process_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
