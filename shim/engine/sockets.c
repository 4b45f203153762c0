/* SPDX-License-Identifier: MIT */
/* Asks the kernel about sockets: ioctl, TCP_INFO, sock_diag. */
/* Context: coordinator thread only; makes system calls, never waits for the network. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/shim.h"
#include "engine/sockets.h"

#ifndef SO_COOKIE
#define SO_COOKIE 57
#endif

/* TCP_SYN_RECV and TCP_CLOSE of <netinet/tcp.h>, which clashes with linux/tcp.h. */
#define TCP_SYN_RECEIVED 3
#define TCP_CLOSED       7

int sockets_unread(int fd)
{
    int bytes = 0;

    return ioctl(fd, SIOCINQ, &bytes) == 0 ? bytes : 0;
}

int sockets_unsent(int fd)
{
    int bytes = 0;

    return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

bool sockets_tcp(int fd, struct sockets_tcp *ret_tcp)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    memset(&info, 0, sizeof(info));
    memset(ret_tcp, 0, sizeof(*ret_tcp));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
        return false;
    }
    uint32_t in = info.tcpi_last_data_recv, out = info.tcpi_last_data_sent;

    ret_tcp->received = info.tcpi_bytes_received;
    ret_tcp->sent = info.tcpi_bytes_sent;
    ret_tcp->round_trip_ns = (int64_t)info.tcpi_rtt * 1000;
    ret_tcp->quiet_ns = (int64_t)(in < out ? in : out) * 1000000;
    ret_tcp->over = info.tcpi_state == TCP_CLOSED;
    ret_tcp->sent_last = info.tcpi_bytes_sent > 0 && out <= in;
    return true;
}

int sockets_queued(int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);

    memset(&info, 0, sizeof(info));
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? (int)info.tcpi_unacked : -1;
}

/* Half-open handshakes --------------------------------------------------------------------------- */

struct half_open {
    const uint16_t *ports;
    size_t many;
    int count;
};

static void count_one(const struct inet_diag_msg *socket, void *argument)
{
    struct half_open *half_open = argument;

    for (size_t i = 0; i < half_open->many; i++) {
        if (half_open->ports[i] == ntohs(socket->id.idiag_sport)) {
            half_open->count++;
            return;
        }
    }
}

int sockets_half_open(const uint16_t *ports, size_t count, bool six)
{
    struct half_open half_open = {.ports = ports, .many = count};
    uint32_t state = 1u << TCP_SYN_RECEIVED;
    bool four = shim->sockdiag_each(AF_INET, state, 0, count_one, &half_open) == 0;

    if (six) {
        (void)shim->sockdiag_each(AF_INET6, state, 0, count_one, &half_open);
    }
    return four ? half_open.count : -1;
}

/* Names ---------------------------------------------------------------------------------------- */

static void format_unix(const struct sockaddr_un *address, socklen_t size, char *text, size_t room)
{
    int length = size > sizeof(sa_family_t) ? (int)(size - sizeof(sa_family_t)) : 0;
    bool abstract = length > 0 && address->sun_path[0] == '\0';

    if (abstract) {
        (void)snprintf(text, room, "unix:@%.*s", length - 1, address->sun_path + 1);
    } else {
        (void)snprintf(text, room, "unix:%.*s", length, address->sun_path);
    }
}

void sockets_format(const struct sockaddr *address, socklen_t size, char *text, size_t room)
{
    char host[INET6_ADDRSTRLEN] = "?";
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;

    switch (address->sa_family) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
        (void)snprintf(text, room, "%s:%u", host, ntohs(four->sin_port));
        break;
    case AF_INET6:
        (void)inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
        (void)snprintf(text, room, "[%s]:%u", host, ntohs(six->sin6_port));
        break;
    case AF_UNIX:
        format_unix((const void *)address, size, text, room);
        break;
    default:
        (void)snprintf(text, room, "family %d", address->sa_family);
    }
}

void sockets_peer(int fd, char *text, size_t room)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);

    memset(&peer, 0, sizeof(peer));
    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0) {
        (void)snprintf(text, room, "gone");
        return;
    }
    sockets_format((struct sockaddr *)&peer, size, text, room);
}
