/* SPDX-License-Identifier: MIT */
/* Speaks sock_diag. */
/* Context: a program of one thread. */
#include "family/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "family/process.h"

#define DATAGRAM        32768
#define NO_INTERFACE    0x7ffffffe /* sigsafe/refuse.h */
#define STATE_LISTEN    10 /* TCP_LISTEN of <netinet/tcp.h>, which clashes with linux/tcp.h */
#define STATES_ALL      0xfffu
#define STATE_TIME_WAIT 6
#define STATE_CLOSED    7

struct dump {
    struct sockets *sockets;
    size_t room;
    int error;
};

static struct socket_row *new_row(struct dump *dump)
{
    struct sockets *sockets = dump->sockets;

    if (sockets->count == dump->room) {
        size_t room = dump->room ? 2 * dump->room : 256;
        struct socket_row *rows = realloc(sockets->rows, room * sizeof(*rows));

        if (!rows) {
            dump->error = -ENOMEM;
            return NULL;
        }
        sockets->rows = rows;
        dump->room = room;
    }
    struct socket_row *row = &sockets->rows[sockets->count++];

    *row = (struct socket_row){.inode = 0};
    return row;
}

/* Internet ------------------------------------------------------------------------------------------- */

static socklen_t make_address(int domain, const void *host, uint16_t port,
                              struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *four = (void *)ret_address;
    struct sockaddr_in6 *six = (void *)ret_address;

    ret_address->ss_family = (sa_family_t)domain;
    if (domain == AF_INET) {
        four->sin_port = port;
        memcpy(&four->sin_addr, host, sizeof(four->sin_addr));
        return sizeof(*four);
    }
    six->sin6_port = port;
    memcpy(&six->sin6_addr, host, sizeof(six->sin6_addr));
    return sizeof(*six);
}

static void take_info(struct socket_row *row, const void *bytes, size_t size)
{
    struct tcp_info info;

    memset(&info, 0, sizeof(info));
    memcpy(&info, bytes, size < sizeof(info) ? size : sizeof(info));
    row->has_info = true;
    row->received = info.tcpi_bytes_received;
    row->sent = info.tcpi_bytes_sent;
    row->since_received_ms = info.tcpi_last_data_recv;
    row->since_sent_ms = info.tcpi_last_data_sent;
}

static void take_inet(struct dump *dump, const struct nlmsghdr *message)
{
    const struct inet_diag_msg *socket = NLMSG_DATA(message);

    if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)) || socket->idiag_inode == 0) {
        return;
    }
    struct socket_row *row = new_row(dump);
    size_t left = message->nlmsg_len - NLMSG_LENGTH(sizeof(*socket));

    if (!row) {
        return;
    }
    row->inode = socket->idiag_inode;
    row->domain = socket->idiag_family;
    row->state = socket->idiag_state;
    row->listens = socket->idiag_state == STATE_LISTEN;
    row->refuses = row->listens && socket->id.idiag_if == NO_INTERFACE;
    row->unread = socket->idiag_rqueue;
    row->unsent = socket->idiag_wqueue;
    row->local_size =
        make_address(row->domain, socket->id.idiag_src, socket->id.idiag_sport, &row->local);
    row->peer_size =
        make_address(row->domain, socket->id.idiag_dst, socket->id.idiag_dport, &row->peer);
    for (const struct rtattr *attribute = (const void *)(socket + 1); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type == INET_DIAG_INFO) {
            take_info(row, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
        }
    }
}

static bool ask_inet(int netlink, int domain)
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
                    .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                    .idiag_states = STATES_ALL & ~(1u << STATE_TIME_WAIT)},
    };

    return send(netlink, &message, sizeof(message), 0) == sizeof(message);
}

/* AF_UNIX -------------------------------------------------------------------------------------------- */

static void take_name(struct socket_row *row, const void *bytes, size_t size)
{
    struct sockaddr_un *address = (void *)&row->local;

    address->sun_family = AF_UNIX;
    size = size < sizeof(address->sun_path) ? size : sizeof(address->sun_path);
    memcpy(address->sun_path, bytes, size);
    row->local_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
}

static void take_queue(struct socket_row *row, const struct unix_diag_rqlen *queue)
{
    row->unread = queue->udiag_rqueue;
    row->unsent = queue->udiag_wqueue;
}

static void take_unix(struct dump *dump, const struct nlmsghdr *message)
{
    const struct unix_diag_msg *socket = NLMSG_DATA(message);

    if (message->nlmsg_len < NLMSG_LENGTH(sizeof(*socket)) || socket->udiag_type != SOCK_STREAM) {
        return;
    }
    struct socket_row *row = new_row(dump);
    size_t left = message->nlmsg_len - NLMSG_LENGTH(sizeof(*socket));

    if (!row) {
        return;
    }
    row->inode = socket->udiag_ino;
    row->domain = AF_UNIX;
    row->state = socket->udiag_state;
    row->listens = socket->udiag_state == STATE_LISTEN;
    row->peer.ss_family = row->local.ss_family = AF_UNIX;
    row->peer_size = row->local_size = offsetof(struct sockaddr_un, sun_path);
    for (const struct rtattr *attribute = (const void *)(socket + 1); RTA_OK(attribute, left);
         attribute = RTA_NEXT(attribute, left)) {
        if (attribute->rta_type == UNIX_DIAG_NAME) {
            take_name(row, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
        } else if (attribute->rta_type == UNIX_DIAG_RQLEN &&
                   RTA_PAYLOAD(attribute) >= sizeof(struct unix_diag_rqlen)) {
            take_queue(row, RTA_DATA(attribute));
        }
    }
}

static bool ask_unix(int netlink)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } message = {
        .header = {.nlmsg_len = sizeof(message),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = STATES_ALL,
                    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN},
    };

    return send(netlink, &message, sizeof(message), 0) == sizeof(message);
}

/* The dump ------------------------------------------------------------------------------------------- */

/* One datagram. 1: more to come, 0: the end, or -errno. */
static int take_all(struct dump *dump, int domain, const void *bytes, ssize_t size)
{
    const struct nlmsghdr *message = bytes;

    for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
        if (message->nlmsg_type == NLMSG_DONE) {
            return dump->error;
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            return -EOPNOTSUPP; /* no module for this family: it has no sockets either */
        }
        if (domain == AF_UNIX) {
            take_unix(dump, message);
        } else {
            take_inet(dump, message);
        }
    }
    return dump->error != 0 ? dump->error : 1;
}

static int dump_one(struct dump *dump, int netlink, int domain)
{
    _Alignas(struct nlmsghdr) static char bytes[DATAGRAM];
    bool asked = domain == AF_UNIX ? ask_unix(netlink) : ask_inet(netlink, domain);
    int more = asked ? 1 : -errno;

    while (more > 0) {
        ssize_t size = recv(netlink, bytes, sizeof(bytes), 0);

        more = size > 0 ? take_all(dump, domain, bytes, size) : -errno;
    }
    return more == -EOPNOTSUPP ? 0 : more;
}

/* A netlink socket belongs to the network namespace in which it was made. */
static int open_netlink(pid_t pid)
{
    char path[64];
    int own = -1, other = -1, netlink;
    bool apart = process_namespace(pid, "net") != process_namespace(getpid(), "net");

    if (apart) {
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
        own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        other = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (apart && (own < 0 || other < 0 || setns(other, CLONE_NEWNET) != 0)) {
        netlink = -1;
    } else {
        netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    }
    int error = errno;

    if (apart) {
        (void)setns(own, CLONE_NEWNET);
        (void)close(own);
        (void)close(other);
    }
    return netlink >= 0 ? netlink : -error;
}

static int by_inode(const void *a, const void *b)
{
    const struct socket_row *x = a, *y = b;

    return (x->inode > y->inode) - (x->inode < y->inode);
}

int sockets_read(pid_t pid, struct sockets *ret_sockets)
{
    static const int domains[] = {AF_INET, AF_INET6, AF_UNIX};
    struct sockets sockets = {.rows = NULL};
    struct dump dump = {.sockets = &sockets};
    int netlink = open_netlink(pid), error = netlink < 0 ? netlink : 0;

    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]) && error == 0; i++) {
        error = dump_one(&dump, netlink, domains[i]);
    }
    if (netlink >= 0) {
        (void)close(netlink);
    }
    if (error != 0) {
        sockets_free(&sockets);
        return error;
    }
    if (sockets.count > 0) {
        qsort(sockets.rows, sockets.count, sizeof(*sockets.rows), by_inode);
    }
    *ret_sockets = sockets;
    return 0;
}

void sockets_free(struct sockets *sockets)
{
    free(sockets->rows);
    *sockets = (struct sockets){.rows = NULL};
}

const struct socket_row *sockets_find(const struct sockets *sockets, uint64_t inode)
{
    struct socket_row wanted = {.inode = inode};

    return sockets->count > 0
               ? bsearch(&wanted, sockets->rows, sockets->count, sizeof(*sockets->rows), by_inode)
               : NULL;
}
