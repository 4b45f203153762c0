/* SPDX-License-Identifier: MIT */
/* Formats a line without stdio and writes it where FLUX_LOG says. */
/* Context: AS-Safe, MT-Safe; a write may block as the target does. Keeps errno. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sigsafe/log.h"
#include "sigsafe/real.h"

#define LINE_MOST 1024

static struct settings_log target = {.level = SETTINGS_LOG_WARN};
static dev_t stderr_device; /* of descriptor 2 when log_open() ran */
static ino_t stderr_inode;
static bool stderr_known;

struct text {
    char *to;
    size_t size, used;
};

static void put(struct text *text, char c)
{
    if (text->used + 1 < text->size) {
        text->to[text->used++] = c;
    }
}

static void put_string(struct text *text, const char *s)
{
    for (s = s ? s : "(null)"; *s; s++) {
        put(text, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
    }
}

static void put_number(struct text *text, uint64_t n, unsigned base)
{
    char digits[24];
    size_t i = sizeof(digits);

    do {
        digits[--i] = "0123456789abcdef"[n % base];
        n /= base;
    } while (n != 0);
    while (i < sizeof(digits)) {
        put(text, digits[i++]);
    }
}

static void put_signed(struct text *text, int64_t n)
{
    if (n < 0) {
        put(text, '-');
    }
    put_number(text, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 10);
}

/* `args` as an array parameter decays where va_list is an array: pass it inside a struct. */
struct arguments {
    va_list list;
};

static void put_conversion(struct text *text, const char **format, struct arguments *args)
{
    bool is_long = strncmp(*format, "ll", 2) == 0;

    *format += is_long ? 2 : 0;
    switch (*(*format)++) {
    case 's':
        put_string(text, va_arg(args->list, const char *));
        break;
    case 'd':
        put_signed(text, is_long ? va_arg(args->list, long long) : va_arg(args->list, int));
        break;
    case 'u':
        put_number(text,
                   is_long ? va_arg(args->list, unsigned long long) : va_arg(args->list, unsigned),
                   10);
        break;
    case 'x':
        put_number(text, va_arg(args->list, unsigned), 16);
        break;
    case 'c':
        put(text, (char)va_arg(args->list, int));
        break;
    default:
        put(text, '%');
    }
}

size_t log_format(char *buffer, size_t size, const char *format, va_list list)
{
    struct text text = {.to = buffer, .size = size};
    struct arguments args;

    va_copy(args.list, list);
    while (*format) {
        if (*format != '%') {
            put(&text, *format++);
            continue;
        }
        format++;
        put_conversion(&text, &format, &args);
    }
    va_end(args.list);
    buffer[text.used] = '\0';
    return text.used;
}

void log_open(const struct settings_log *wanted)
{
    struct stat st;

    target = *wanted;
    stderr_known = fstat(STDERR_FILENO, &st) == 0;
    if (stderr_known) {
        stderr_device = st.st_dev;
        stderr_inode = st.st_ino;
    }
}

int log_stderr_is_ours(void)
{
    struct stat st;

    return stderr_known && fstat(STDERR_FILENO, &st) == 0 && st.st_dev == stderr_device &&
           st.st_ino == stderr_inode;
}

/* A pipe whose reader is gone raises SIGPIPE: that would be our line's doing, so it is taken. */
static void write_quietly(int fd, const char *line, size_t size)
{
    static const struct timespec now;
    sigset_t pipe, pending, old;

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)real.pthread_sigmask(SIG_BLOCK, &pipe, &old);
    (void)sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;

    if (real.write(fd, line, size) == -1 && errno == EPIPE && !was_pending) {
        (void)real.sigtimedwait(&pipe, NULL, &now);
    }
    (void)real.pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void to_stderr(const char *line, size_t size)
{
    if (!stderr_known || log_stderr_is_ours()) {
        write_quietly(STDERR_FILENO, line, size);
    }
}

static bool to_file(const char *line, size_t size)
{
    int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    int fd = open(target.path, flags, 0640);
    struct stat st;
    bool usable = fd >= 0 && fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode));

    if (usable) {
        (void)!real.write(fd, line, size);
    }
    if (fd >= 0) {
        (void)real.close(fd);
    }
    return usable;
}

/* RFC 3164 without a time: /dev/log's reader adds it. Facility daemon (3). */
static bool to_syslog(enum settings_level level, const char *line, size_t size)
{
    static const unsigned severity[] = {3, 4, 6, 7};
    static const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char head[16];
    struct text text = {.to = head, .size = sizeof(head)};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    put(&text, '<');
    put_number(&text, 3 * 8 + severity[level], 10);
    put(&text, '>');
    struct iovec parts[] = {{head, text.used}, {(void *)line, size}};
    struct msghdr message = {.msg_name = (void *)&address,
                             .msg_namelen = sizeof(address),
                             .msg_iov = parts,
                             .msg_iovlen = 2};
    bool sent = fd >= 0 && real.sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;

    if (fd >= 0) {
        (void)real.close(fd);
    }
    return sent;
}

void log_line(enum settings_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    int saved = errno;
    char line[LINE_MOST];
    struct text text = {.to = line, .size = sizeof(line)};
    va_list args;

    if (level > target.level) {
        return;
    }
    put_string(&text, "fluxshim[");
    put_number(&text, (uint64_t)getpid(), 10);
    put_string(&text, "]: ");
    put_string(&text, names[level]);
    put_string(&text, ": ");
    va_start(args, format);
    text.used += log_format(line + text.used, sizeof(line) - text.used - 1, format, args);
    va_end(args);
    if (target.target != SETTINGS_LOG_SYSLOG || !to_syslog(level, line, text.used)) {
        line[text.used++] = '\n';
        if (target.target != SETTINGS_LOG_FILE || !to_file(line, text.used)) {
            to_stderr(line, text.used);
        }
    }
    errno = saved;
}
