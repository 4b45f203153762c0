/* SPDX-License-Identifier: MIT */
/* Which descriptors are open, and what they are: asked of the kernel each time. */
/* Context: the program that is compared. */
#include "pool.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool pool_is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof value;

    (void)getsockopt(fd, SOL_SOCKET, name, &value, &size);
    return value;
}

static unsigned kind_of_socket(int fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    int domain = option(fd, SO_DOMAIN), type = option(fd, SO_TYPE);
    unsigned kind = domain == AF_UNIX ? POOL_UNIX : type == SOCK_STREAM ? POOL_TCP : 0;

    if (type == SOCK_DGRAM)
        return kind | POOL_DATAGRAM;
    if (option(fd, SO_ACCEPTCONN))
        return kind | POOL_LISTENER;
    bool connected = getpeername(fd, (struct sockaddr *)&peer, &size) == 0;

    return kind | (connected ? POOL_CONNECTION : POOL_SOCKET);
}

/* Files without a name of their own say what they are in /proc only. */
static unsigned kind_of_other(int fd)
{
    char link[32], name[64];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, name, sizeof name - 1);

    name[n < 0 ? 0 : n] = '\0';
    return strstr(name, "eventpoll")    ? POOL_EPOLL
           : strstr(name, "signalfd")   ? POOL_SIGNALFD
           : strstr(name, "anon_inode") ? POOL_EVENT
                                        : POOL_FILE;
}

unsigned pool_kind(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return 0;
    if (S_ISSOCK(status.st_mode))
        return kind_of_socket(fd);
    return S_ISFIFO(status.st_mode)                         ? POOL_PIPE
           : S_ISREG(status.st_mode) && status.st_nlink > 0 ? POOL_FILE
                                                            : kind_of_other(fd);
}

static int wild(uint32_t random)
{
    static const int numbers[] = {-1, 35, 34, 33, 36, 1000, 1 << 30, -100, 30, 29};

    return numbers[random % (sizeof numbers / sizeof *numbers)];
}

/* The one at `random` of those that fit, or -2. */
static int choose(unsigned kinds, uint32_t random)
{
    int fit[POOL_END] = {0}, n = 0;

    for (int fd = POOL_FIRST; fd < POOL_END; fd++) {
        if (kinds == 0 ? pool_is_open(fd) : (pool_kind(fd) & kinds) != 0)
            fit[n++] = fd;
    }
    return n == 0 ? -2 : fit[random % (uint32_t)n];
}

int pool_any(uint32_t random)
{
    return random % 16 == 0 ? wild(random / 16) : choose(0, random / 16);
}

int pool_of(unsigned kinds, uint32_t random)
{
    int fd = random % 32 == 0 ? -2 : choose(kinds, random / 32);

    return fd == -2 ? pool_any(random / 32) : fd;
}
