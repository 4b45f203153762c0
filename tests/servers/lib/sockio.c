/* SPDX-License-Identifier: MIT */
/* accept, read, write and close, through their libc names or all through syscall(). */
#define _GNU_SOURCE 1
#include "sockio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "options.h"
#include "stop.h"
#include "util.h"

static int accept_then_fcntl(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

int sock_accept(int listener, bool nonblocking)
{
    int flags = SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);

    if (opt.syscall_io)
        return (int)syscall(SYS_accept4, listener, NULL, NULL, flags);
    if (nonblocking)
        return accept4(listener, NULL, NULL, flags);
    return accept_then_fcntl(listener);
}

ssize_t sock_read(int fd, void *bytes, size_t size)
{
    return opt.syscall_io ? syscall(SYS_read, fd, bytes, size) : read(fd, bytes, size);
}

ssize_t sock_write(int fd, const void *bytes, size_t size)
{
    return opt.syscall_io ? syscall(SYS_write, fd, bytes, size) : write(fd, bytes, size);
}

int sock_close(int fd)
{
    return opt.syscall_io ? (int)syscall(SYS_close, fd) : close(fd);
}

int sock_accept_blocking(int listener)
{
    for (;;) {
        int fd = sock_accept(listener, false);
        if (fd >= 0)
            return fd;
        if (errno == EINTR) {
            stop_interrupted();
        } else if (errno != ECONNABORTED) {
            say("accept failed: %s", strerror(errno));
            exit(EXIT_FAILURE);
        }
    }
}
