/* SPDX-License-Identifier: MIT */
/* Reads /proc/PID/stat without stdio. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "sigsafe/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "sigsafe/real.h"

#define TICK_MS 10 /* USER_HZ is 100 on every machine that Linux has left */

/* Numbers of fields, proc(5). */
enum { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_BEGAN = 22 };

static char *decimal(char *end, unsigned number)
{
    do {
        *--end = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return end;
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
static ssize_t read_stat(pid_t pid, char *text, size_t room)
{
    char path[40] = "/proc/", digits[16];
    char *from = decimal(digits + sizeof(digits), (unsigned)pid);
    size_t length = (size_t)(digits + sizeof(digits) - from);

    memcpy(path + 6, from, length);
    memcpy(path + 6 + length, "/stat", 6);
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
