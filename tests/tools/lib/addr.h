/* SPDX-License-Identifier: MIT */
/* Addresses of test servers: `tcp4:PORT`, `tcp6:PORT` on loopback, `unix:PATH`. */
#ifndef TOOLS_ADDR_H
#define TOOLS_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct addr {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
    socklen_t len;
};

bool addr_parse(const char *text, struct addr *ret_addr);

/* A listening socket, close-on-exec; -1 and errno on failure. */
int addr_listen(const struct addr *addr);

/*
 * A connected socket whose reads, writes and connect give up after timeout_ms, or -errno. Over IPv4
 * `serial` picks a source address in 127.0.0.0/8: with a serial of its own each connection has a
 * fresh pair of addresses, and ports in TIME_WAIT are never missed.
 */
int addr_connect(const struct addr *addr, unsigned serial, int timeout_ms);

/* Closes a connection. Over IPv6, where loopback is one address, an answered one is closed without
 * TIME_WAIT; an unanswered one is never reset from here. */
void addr_close(const struct addr *addr, int fd, bool answered);

#endif
