/* SPDX-License-Identifier: MIT */
/* Asks the kernel about sockets: ioctl, TCP_INFO, sock_diag. */
/* Context: coordinator thread only; makes system calls, never waits for the network. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
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

/* sock_diag(7) -------------------------------------------------------------------------------- */

static int ask(int netlink, int domain)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof(message),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = (uint8_t)domain,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = 1u << TCP_SYN_RECEIVED},
    };

    return send(netlink, &message, sizeof(message), 0) == sizeof(message) ? 0 : -errno;
}

static bool is_among(uint16_t port, const uint16_t *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ports[i] == port) {
            return true;
        }
    }
    return false;
}

/* One datagram of the dump: adds to *count. 1: more to come, 0: the end, -1: an error. */
static int count_datagram(const char *bytes, ssize_t size, const uint16_t *ports, size_t many,
                          int *count)
{
    const struct nlmsghdr *row = (const void *)bytes;

    for (; NLMSG_OK(row, size); row = NLMSG_NEXT(row, size)) {
        if (row->nlmsg_type == NLMSG_DONE) {
            return 0;
        }
        if (row->nlmsg_type == NLMSG_ERROR) {
            return -1;
        }
        const struct inet_diag_msg *socket = NLMSG_DATA(row);

        *count += is_among(ntohs(socket->id.idiag_sport), ports, many);
    }
    return 1;
}

static int count_family(int netlink, int domain, const uint16_t *ports, size_t many)
{
    _Alignas(struct nlmsghdr) char bytes[8192];
    int count = 0, more = ask(netlink, domain) == 0 ? 1 : -1;

    while (more > 0) {
        ssize_t size = recv(netlink, bytes, sizeof(bytes), 0);

        more = size > 0 ? count_datagram(bytes, size, ports, many, &count) : -1;
    }
    return more == 0 ? count : -1;
}

int sockets_half_open(const uint16_t *ports, size_t count)
{
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    struct timeval patience = {.tv_sec = 1};

    if (netlink < 0) {
        return -1;
    }
    (void)setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    int four = count_family(netlink, AF_INET, ports, count);
    int six = count_family(netlink, AF_INET6, ports, count);

    (void)close(netlink);
    return four < 0 ? four : four + (six > 0 ? six : 0);
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
