/* SPDX-License-Identifier: MIT */
/* dup, dup2, dup3, fcntl: a second number for the same open file description. */
/* Context: AS-Safe, MT-Safe. Each keeps its own error rules: dup3(fd, fd) is EINVAL, dup2 isn't. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>

#include "sigsafe/fdtab.h"
#include "wrap/gone.h"
#include "wrap/wrap.h"

static int copied(int from, int to)
{
    if (to >= 0 && life_tracks()) {
        fdtab_copy(from, to);
    }
    return to;
}

/* `to` is about to be replaced, unless `from` is no descriptor: then it stays what it is. */
static uint8_t replace(int from, int to, int flags)
{
    if (!life_tracks() || fdtab_kind(to) == 0 || from == to || (flags & ~O_CLOEXEC)) {
        return 0;
    }
    int saved = errno;
    uint8_t kind = real.fcntl(from, F_GETFD, NULL) == -1 ? 0 : fdtab_forget(to);

    errno = saved;
    return kind;
}

static int replaced(int from, int to, uint8_t kind)
{
    has_gone(kind);
    return copied(from, to);
}

WRAP int dup(int fd)
{
    return copied(fd, real.dup(fd));
}

WRAP int dup2(int from, int to)
{
    uint8_t kind = replace(from, to, 0);

    return replaced(from, real.dup2(from, to), kind);
}

WRAP int dup3(int from, int to, int flags)
{
    uint8_t kind = replace(from, to, flags);

    return replaced(from, real.dup3(from, to, flags), kind);
}

static int after_fcntl(int fd, int command, int result)
{
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? copied(fd, result) : result;
}

WRAP int fcntl(int fd, int command, ...)
{
    va_list args;

    va_start(args, command);
    void *argument = va_arg(args, void *);

    va_end(args);
    return after_fcntl(fd, command, real.fcntl(fd, command, argument));
}

WRAP int fcntl64(int fd, int command, ...)
{
    va_list args;

    va_start(args, command);
    void *argument = va_arg(args, void *);

    va_end(args);
    return after_fcntl(fd, command, real.fcntl64(fd, command, argument));
}
