/* SPDX-License-Identifier: MIT */
/* Reads /proc/PID/stat without stdio. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "sigsafe/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include "sigsafe/real.h"

#define TICK_MS 10 /* USER_HZ is 100 on every machine that Linux has left */

/* Numbers of fields, proc(5). */
enum { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_BEGAN = 22 };

static char *append(char *to, const char *text)
{
    while (*text) {
        *to++ = *text++;
    }
    *to = '\0';
    return to;
}

static char *append_number(char *to, unsigned number)
{
    char digits[16], *from = digits + sizeof(digits) - 1;

    *from = '\0';
    do {
        *--from = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return append(to, from);
}

/* Behind "/proc/PID". */
static char *append_process(char *to, pid_t pid)
{
    return append_number(append(to, "/proc/"), (unsigned)pid);
}

void process_fd_path(pid_t pid, unsigned fd, char ret_path[PROCESS_PATH])
{
    (void)append_number(append(append_process(ret_path, pid), "/fd/"), fd);
}

void process_fd_folder(pid_t pid, char ret_path[PROCESS_PATH])
{
    (void)append(append_process(ret_path, pid), "/fd");
}

/* getdents64(2) has no header. */
struct linux_dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    unsigned short d_reclen;
    unsigned char d_type;
    char d_name[];
};

static int number_of(const char *name)
{
    int64_t value = 0;

    for (; *name >= '0' && *name <= '9' && value <= INT32_MAX; name++) {
        value = value * 10 + (*name - '0');
    }
    return *name == '\0' && value <= INT32_MAX ? (int)value : -1;
}

static bool visit_all(const char *entries, long size, bool (*visit)(int number, void *argument),
                      void *argument)
{
    for (long at = 0; at < size;) {
        const struct linux_dirent64 *entry = (const void *)(entries + at);
        int number = number_of(entry->d_name);

        if (number >= 0 && visit(number, argument)) {
            return true;
        }
        at += entry->d_reclen;
    }
    return false;
}

bool process_each_number(const char *folder, bool (*visit)(int number, void *argument),
                         void *argument)
{
    _Alignas(struct linux_dirent64) char entries[1024];
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool found = false;
    long n;

    while (fd >= 0 && !found &&
           (n = real.syscall(SYS_getdents64, fd, (long)entries, sizeof(entries), 0, 0, 0)) > 0) {
        found = visit_all(entries, n, visit, argument);
    }
    if (fd >= 0) {
        (void)real.close(fd);
    }
    return found;
}

static int64_t number_at(const char *text)
{
    int64_t value = 0;

    while (*text >= '0' && *text <= '9' && value < INT64_MAX / 100) {
        value = value * 10 + (*text++ - '0');
    }
    return value;
}

/* `room` bytes of the file, and a NUL. The length, or -errno. */
static ssize_t read_file(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    ssize_t n = real.read(fd, text, room);
    int error = errno;

    (void)real.close(fd);
    text[n > 0 ? n : 0] = '\0';
    return n < 0 ? -error : n;
}

ssize_t process_fd_info(int fd, char *ret_text, size_t room)
{
    char path[PROCESS_PATH];
    int saved = errno;

    (void)append_number(append(path, "/proc/self/fdinfo/"), (unsigned)fd);
    ssize_t n = read_file(path, ret_text, room);

    errno = saved;
    return n;
}

static ssize_t read_stat(pid_t pid, char *text, size_t room)
{
    char path[PROCESS_PATH];

    (void)append(append_process(path, pid), "/stat");
    return read_file(path, text, room);
}

/* Field 2 is the program's name in parentheses, and may hold anything: look for its end. */
static const char *behind_name(const char *text, ssize_t n)
{
    while (n > 0 && text[n - 1] != ')') {
        n--;
    }
    return n > 0 && text[n] == ' ' ? text + n + 1 : NULL;
}

static const char *field(const char *at, int from, int wanted)
{
    while (from < wanted && *at) {
        from += *at++ == ' ';
    }
    return at;
}

int process_stat(pid_t pid, struct process_stat *ret_stat)
{
    char text[512];
    ssize_t n = read_stat(pid, text, sizeof(text) - 1);
    const char *state = n > 0 ? behind_name(text, n) : NULL;

    if (!state) {
        return n < 0 ? (int)n : -ENODATA;
    }
    *ret_stat = (struct process_stat){
        .state = *state,
        .parent = (pid_t)number_at(field(state, FIELD_STATE, FIELD_PARENT)),
        .began_ms = number_at(field(state, FIELD_STATE, FIELD_BEGAN)) * TICK_MS,
    };
    return 0;
}

int64_t process_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_another(const struct process_stat *stat, int64_t alive_ms)
{
    return alive_ms > 0 && stat->began_ms > alive_ms;
}

bool process_is_gone(pid_t pid, int64_t alive_ms)
{
    struct process_stat stat;
    int saved = errno;
    bool gone = kill(pid, 0) != 0 && errno == ESRCH;

    if (!gone && process_stat(pid, &stat) == 0) {
        gone = stat.state == 'Z' || stat.state == 'X' || is_another(&stat, alive_ms);
    }
    errno = saved;
    return gone;
}
