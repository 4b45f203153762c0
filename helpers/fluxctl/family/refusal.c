/* SPDX-License-Identifier: MIT */
/* Borrows the listener's descriptor and binds it to nowhere. */
/* Context: a program of one thread. */
#include "family/refusal.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

#define NOWHERE 0x7ffffffe /* sigsafe/refuse.h */

static int bind_to(int fd, int interface)
{
    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &interface, sizeof(interface)) == 0
               ? 0
               : -errno;
}

static int option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -errno;
}

bool refusal_is_revocable(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool revocable = fd >= 0 && bind_to(fd, NOWHERE) == 0 && bind_to(fd, 0) == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return revocable;
}

/* A copy of it, or -errno. The number may be another socket's by now. */
static int borrow(const struct listener *listener)
{
    int pidfd = (int)syscall(SYS_pidfd_open, listener->pid, 0);
    int fd = pidfd >= 0 ? (int)syscall(SYS_pidfd_getfd, pidfd, listener->fd, 0) : -1;
    int error = errno;
    struct stat st;

    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    if (fd < 0) {
        return -error;
    }
    if (fstat(fd, &st) != 0 || st.st_ino != listener->socket.inode ||
        option(fd, SO_ACCEPTCONN) != 1) {
        (void)close(fd);
        return -ESTALE;
    }
    return fd;
}

static const char *set_on(int fd, bool refuses)
{
    int bound = option(fd, SO_BINDTOIFINDEX);

    if ((bound == NOWHERE) == refuses) {
        return "";
    }
    if (bound != NOWHERE && bound != 0) {
        return "it is bound to an interface";
    }
    int error = bind_to(fd, refuses ? NOWHERE : 0);

    return error == 0 ? NULL : error == -EPERM ? "that takes CAP_NET_RAW" : strerror(-error);
}

const char *refusal_set(const struct listener *listener, bool refuses)
{
    if (listener->socket.domain != AF_INET && listener->socket.domain != AF_INET6) {
        return "only TCP listeners can be, and only they can be opened again";
    }
    if (refuses && listener->has_strangers) {
        return "another server listens there, too, and connects that fall to this one would hang";
    }
    int fd = borrow(listener);

    if (fd < 0) {
        return fd == -EPERM ? "its process is not ours to look into" : strerror(-fd);
    }
    const char *reason = set_on(fd, refuses);

    (void)close(fd);
    return reason;
}
