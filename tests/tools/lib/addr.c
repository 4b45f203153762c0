/* SPDX-License-Identifier: MIT */
/* Addresses of test servers: `tcp4:PORT`, `tcp6:PORT` on loopback, `unix:PATH`. */
#define _GNU_SOURCE 1
#include "addr.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

/* 127.1.0.0 and the eight million addresses that follow it. */
enum { SOURCES = 0x7f010000, SOURCES_MASK = 0x7fffff };

static bool parse_unix(const char *path, struct addr *ret_addr)
{
    if (strlen(path) >= sizeof ret_addr->un.sun_path)
        return false;
    ret_addr->un.sun_family = AF_UNIX;
    strcpy(ret_addr->un.sun_path, path);
    ret_addr->len = sizeof ret_addr->un;
    return true;
}

bool addr_parse(const char *text, struct addr *ret_addr)
{
    *ret_addr = (struct addr){.len = 0};
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, ret_addr);
    if (strncmp(text, "tcp4:", 5) == 0) {
        ret_addr->in.sin_family = AF_INET;
        ret_addr->in.sin_port = htons((uint16_t)atoi(text + 5));
        ret_addr->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ret_addr->len = sizeof ret_addr->in;
        return true;
    }
    if (strncmp(text, "tcp6:", 5) == 0) {
        ret_addr->in6.sin6_family = AF_INET6;
        ret_addr->in6.sin6_port = htons((uint16_t)atoi(text + 5));
        ret_addr->in6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
        ret_addr->len = sizeof ret_addr->in6;
        return true;
    }
    return false;
}

int addr_listen(const struct addr *addr)
{
    int on = 1;
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (addr->any.sa_family == AF_UNIX)
        unlink(addr->un.sun_path);
    if (bind(fd, &addr->any, addr->len) < 0 || listen(fd, SOMAXCONN) < 0)
        return -1;
    return fd;
}

static void bind_source(int fd, unsigned serial)
{
    int on = 1;
    struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(SOURCES + (serial & SOURCES_MASK)),
    };

    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    (void)bind(fd, (struct sockaddr *)&source, sizeof source);
}

int addr_connect(const struct addr *addr, unsigned serial, int timeout_ms)
{
    struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000L};
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    if (addr->any.sa_family == AF_INET)
        bind_source(fd, serial);
    if (connect(fd, &addr->any, addr->len) == 0)
        return fd;
    int error = errno;
    close(fd);
    return -error;
}

void addr_close(const struct addr *addr, int fd, bool answered)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (answered && addr->any.sa_family == AF_INET6)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}
