/* SPDX-License-Identifier: MIT */
/* Steps that make sockets, bind, listen, connect, accept and shut down. */
/* Context: the program that is compared. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "allow.h"
#include "calls.h"
#include "guard.h"
#include "pool.h"

static int type_of(uint32_t random)
{
    return ONE_OF(random, SOCK_STREAM, SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, 77) |
           (random / 8 % 2 ? SOCK_CLOEXEC : 0) | (random / 16 % 2 ? SOCK_NONBLOCK : 0);
}

void call_socket(const struct step *s)
{
    int domain = ONE_OF(s->a, AF_UNIX, AF_UNIX, AF_INET, AF_INET, AF_INET6);

    address_send_at_once((int)TRY(socket(domain, type_of(s->b), 0)));
}

void call_socketpair(const struct step *s)
{
    int ends[2] = {-7, -7};

    TRY(socketpair(AF_UNIX, type_of(s->b), 0, ends));
    record_value("one end", ends[0]);
    record_value("other end", ends[1]);
}

void call_bind(const struct step *s)
{
    int fd = pool_of(POOL_SOCKET | POOL_DATAGRAM, s->a);
    struct address address = address_to_bind(fd, s->b);

    TRY(bind(fd, (struct sockaddr *)&address.name, address.size));
}

void call_listen(const struct step *s)
{
    int fd = pool_of(POOL_SOCKET, s->a), backlog = ONE_OF(s->b, 16, 1, 0, -1, 4096);

    allow_arming();
    TRY(listen(fd, backlog));
}

/*
 * A TCP connect to a full queue would be answered after a second: only one that doesn't block, and
 * what has become of it is seen afterwards (errno and the facts of the descriptor).
 */
static void connect_to(int fd, const struct address *address, bool may_block)
{
    int flags = fcntl(fd, F_GETFL);
    bool tcp = (pool_kind(fd) & POOL_TCP) != 0;

    if (tcp || !may_block)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    GUARDED(connect(fd, (const struct sockaddr *)&address->name, address->size));
    if (tcp || !may_block)
        fcntl(fd, F_SETFL, flags);
    address_settle(fd);
}

void call_connect(const struct step *s)
{
    int fd = pool_of(POOL_SOCKET | POOL_DATAGRAM, s->a);
    struct address address =
        address_of(pool_of(s->c % 4 ? POOL_LISTENER : POOL_DATAGRAM, s->b), s->d);

    connect_to(fd, &address, s->c % 3 == 0);
}

static socklen_t *size_for(uint32_t random, socklen_t *room)
{
    *room = (socklen_t)ONE_OF(random, 128, 128, 0, 2, -1, 16);
    return random % 16 == 15 ? NULL : room;
}

void call_accept(const struct step *s)
{
    struct sockaddr_storage name;
    socklen_t room;
    int fd = pool_of(POOL_LISTENER, s->a);
    bool asks = s->b % 2;
    socklen_t *size = size_for(s->c, &room);

    allow_arming();
    memset(&name, 0, sizeof name);
    if (GUARDED(accept(fd, asks ? (struct sockaddr *)&name : NULL, asks ? size : NULL)) >= 0 &&
        asks)
        record_value("family", name.ss_family);
    record_value("size", (long)room);
}

void call_accept4(const struct step *s)
{
    struct sockaddr_storage name;
    socklen_t room;
    int fd = pool_of(POOL_LISTENER, s->a);
    int flags = ONE_OF(s->b, SOCK_NONBLOCK, SOCK_CLOEXEC, 0, SOCK_CLOEXEC | SOCK_NONBLOCK, 0x7);
    socklen_t *size = size_for(s->c, &room);

    allow_arming();
    GUARDED(accept4(fd, (struct sockaddr *)&name, size, flags));
    record_value("size", (long)room);
}

void call_shutdown(const struct step *s)
{
    int fd = s->c % 8 == 0 ? pool_any(s->a) : pool_of(POOL_CONNECTION | POOL_DATAGRAM, s->a);
    int how = ONE_OF(s->b, SHUT_WR, SHUT_RD, SHUT_RDWR, 9);

    TRY(shutdown(fd, how));
    address_settle(fd);
}

/* All that a server does before it serves. */
void call_server(const struct step *s)
{
    int domain = ONE_OF(s->a, AF_UNIX, AF_INET, AF_INET, AF_INET6);
    int type = domain == AF_UNIX && s->b % 4 == 0 ? SOCK_SEQPACKET : SOCK_STREAM;
    int fd = (int)TRY(socket(domain, type | (s->b % 2 ? SOCK_NONBLOCK : 0), 0));
    struct address address = address_to_bind(fd, s->c);

    address_send_at_once(fd);
    TRY(bind(fd, (struct sockaddr *)&address.name, address.size));
    allow_arming();
    TRY(listen(fd, 16));
}

/* A client of a server that is there, and the accept of it. */
void call_connection(const struct step *s)
{
    int listener = pool_of(POOL_LISTENER, s->a), type = SOCK_STREAM;
    socklen_t size = sizeof type;

    (void)getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &size);
    struct address address = address_of(listener, 1);
    int client = (int)TRY(socket(address.name.ss_family, type | (s->b % 2 ? SOCK_NONBLOCK : 0), 0));

    address_send_at_once(client);
    connect_to(client, &address, true);
    allow_arming();
    GUARDED(accept4(listener, NULL, NULL, s->c % 2 ? SOCK_NONBLOCK : 0));
}

void call_sockopt(const struct step *s)
{
    static const int names[] = {SO_REUSEADDR, SO_KEEPALIVE, SO_LINGER,
                                SO_OOBINLINE, SO_BROADCAST, SO_RCVLOWAT};
    int fd = pool_of(POOL_SOCKET | POOL_CONNECTION | POOL_DATAGRAM | POOL_LISTENER, s->a);
    int value[2] = {(int)(s->c % 2), 0}, name = names[s->b % 6], error = 0;
    socklen_t size = sizeof error;

    if (s->d % 4 == 0) {
        TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
        record_value("error", error);
    } else {
        TRY(setsockopt(fd, SOL_SOCKET, name, value, name == SO_LINGER ? 8 : 4));
    }
}
