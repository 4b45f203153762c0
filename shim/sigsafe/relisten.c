/* SPDX-License-Identifier: MIT */
/* Opens refused listeners again. */
/* Context: AS-Safe, never blocks; in a process that is about to exec. */
#include "sigsafe/relisten.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sigsafe/listeners.h"
#include "sigsafe/log.h"
#include "sigsafe/real.h"
#include "sigsafe/refuse.h"

#define BACKLOG_UNKNOWN 128

static int backlog_of(const struct listener *listener)
{
    return listener->backlog >= 0 ? listener->backlog : BACKLOG_UNKNOWN;
}

static bool unbind(int fd)
{
    int any = 0;

    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &any, sizeof(any)) == 0;
}

static bool detach_filter(int fd)
{
    int none = 0;

    return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) == 0;
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, level, name, &value, &size) == 0 ? value : 0;
}

static void set_option(int fd, int level, int name, int value)
{
    (void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* What decides over the address; connections in TIME_WAIT must not be in its way. */
static void copy_options(int from, int to)
{
    set_option(to, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(to, SOL_SOCKET, SO_REUSEPORT, option(from, SOL_SOCKET, SO_REUSEPORT));
    set_option(to, IPPROTO_IPV6, IPV6_V6ONLY, option(from, IPPROTO_IPV6, IPV6_V6ONLY));
}

/* A name in the file system is in the way of its own successor, whose owner and mode it had. */
static bool bind_path(int fd, const struct sockaddr_un *address, socklen_t size)
{
    struct stat was;
    bool known = lstat(address->sun_path, &was) == 0 && S_ISSOCK(was.st_mode);

    if (!known || unlink(address->sun_path) != 0 ||
        real.bind(fd, (const struct sockaddr *)address, size) != 0) {
        return false;
    }
    (void)!chown(address->sun_path, was.st_uid, was.st_gid);
    (void)chmod(address->sun_path, was.st_mode & 07777);
    return true;
}

static bool bind_again(int fd, const struct listener *listener)
{
    const struct sockaddr_un *path = (const void *)&listener->address;

    if (listener->domain == AF_UNIX && path->sun_path[0] != '\0') {
        return bind_path(fd, path, listener->address_size);
    }
    return real.bind(fd, (const struct sockaddr *)&listener->address, listener->address_size) == 0;
}

/* dup3 closes the old socket, and with it goes its hold on the address. */
static bool replace(const struct listener *listener, int fd)
{
    int status = real.fcntl(fd, F_GETFL, NULL);
    int fresh = socket(listener->domain, SOCK_STREAM | SOCK_CLOEXEC | (status & O_NONBLOCK), 0);

    if (fresh < 0 || listener->address_size == 0) {
        return false;
    }
    int reuse = option(fd, SOL_SOCKET, SO_REUSEADDR);

    copy_options(fd, fresh);
    bool open = real.dup3(fresh, fd, 0) >= 0 && bind_again(fd, listener) &&
                real.listen(fd, backlog_of(listener)) == 0;
    int error = errno;

    set_option(fd, SOL_SOCKET, SO_REUSEADDR, reuse);
    (void)real.close(fresh);
    errno = error;
    return open;
}

static bool relisten(const struct listener *listener, int fd)
{
    switch (atomic_load(&listener->refusal)) {
    case REFUSAL_BLACKHOLE:
        return unbind(fd) || replace(listener, fd);
    case REFUSAL_FILTER:
        return detach_filter(fd);
    case REFUSAL_BACKLOG:
        return real.listen(fd, backlog_of(listener)) == 0;
    case REFUSAL_SHUTDOWN:
    case REFUSAL_DECOY:
        return replace(listener, fd);
    default:
        return true;
    }
}

void relisten_all(void)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        struct listener *listener = &listeners[i];
        int fd = atomic_load(&listener->fd);

        if (fd < 0 || (real.fcntl(fd, F_GETFD, NULL) & FD_CLOEXEC)) {
            continue;
        }
        if (!relisten(listener, fd)) {
            log_error("listener %d can't be opened again (errno %d)", fd, errno);
        }
        atomic_store(&listener->refusal, REFUSAL_NONE);
    }
}
