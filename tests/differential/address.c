/* SPDX-License-Identifier: MIT */
/* Making addresses. */
/* Context: the program that is compared. */
#include "address.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "pool.h"

/* Each process has its own part of 127.0.0.0/8, so that ports in TIME_WAIT never run out. */
static struct address inet(void)
{
    uint32_t pid = (uint32_t)getpid();
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(0x7f000001u + (pid % 0xfffff << 3))};
    struct address address = {.size = sizeof in};

    memcpy(&address.name, &in, sizeof in);
    return address;
}

static struct address inet6(void)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct address address = {.size = sizeof in};

    memcpy(&address.name, &in, sizeof in);
    return address;
}

static struct address unix_name(uint32_t random)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct address address = {.size = sizeof un};

    snprintf(un.sun_path, sizeof un.sun_path, random % 16 == 1 ? "nowhere/s%u" : "s%u",
             random / 16 % 6);
    memcpy(&address.name, &un, sizeof un);
    return address;
}

struct address address_to_bind(int fd, uint32_t random)
{
    int domain = AF_UNIX;
    socklen_t size = sizeof domain;

    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
    struct address address = domain == AF_INET    ? inet()
                             : domain == AF_INET6 ? inet6()
                                                  : unix_name(random);

    address.size = random % 32 == 0 ? 3 : address.size;
    return address;
}

struct address address_of(int fd, uint32_t random)
{
    struct address address;

    memset(&address, 0, sizeof address);
    address.size = sizeof address.name;
    if (getsockname(fd, (struct sockaddr *)&address.name, &address.size) != 0)
        address.size = 0;
    address.size = random % 16 == 0 ? 1 : address.size;
    return address;
}

void address_send_at_once(int fd)
{
    const int on = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int unacknowledged(int fd)
{
    int n = 0;

    return ioctl(fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

void address_settle(int fd)
{
    bool tcp = (pool_kind(fd) & POOL_TCP) != 0;

    for (int i = 0; tcp && i < 3 && unacknowledged(fd) > 0; i++)
        sched_yield();
}
