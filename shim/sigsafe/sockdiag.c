/* SPDX-License-Identifier: MIT */
/* One netlink request and its answer. */
/* Context: AS-Safe, MT-Safe; makes system calls, never waits for the network. */
#include "sigsafe/sockdiag.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "sigsafe/real.h"

#define DATAGRAM 8192u /* netlink(7): larger ones don't come */

static bool ask(int netlink, int domain, uint32_t states, uint16_t port)
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
                    .idiag_states = states,
                    .id.idiag_sport = port},
    };

    return real.send(netlink, &message, sizeof(message), 0) == sizeof(message);
}

/* One datagram of the dump. 1: more to come, 0: the end, -1: an error. */
static int take(const char *bytes, ssize_t size,
                void (*visit)(const struct inet_diag_msg *socket, void *argument), void *argument)
{
    const struct nlmsghdr *row = (const void *)bytes;

    for (; NLMSG_OK(row, size); row = NLMSG_NEXT(row, size)) {
        if (row->nlmsg_type == NLMSG_DONE) {
            return 0;
        }
        if (row->nlmsg_type == NLMSG_ERROR ||
            row->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg))) {
            return -1;
        }
        visit(NLMSG_DATA(row), argument);
    }
    return 1;
}

static int converse(int netlink, int domain, uint32_t states, uint16_t port, char *bytes,
                    void (*visit)(const struct inet_diag_msg *socket, void *argument),
                    void *argument)
{
    int more = ask(netlink, domain, states, port) ? 1 : -1;

    while (more > 0) {
        ssize_t size = real.recv(netlink, bytes, DATAGRAM, 0);

        more = size > 0 ? take(bytes, size, visit, argument) : -1;
    }
    return more;
}

/* The datagrams have pages of their own: a handler's stack may be no larger than one of them. */
static int with_pages(int domain, uint32_t states, uint16_t port,
                      void (*visit)(const struct inet_diag_msg *socket, void *argument),
                      void *argument)
{
    struct timeval patience = {.tv_sec = 1};
    int netlink = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    void *bytes = mmap(NULL, DATAGRAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result = -1;

    if (netlink >= 0 && bytes != MAP_FAILED) {
        (void)setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
        result = converse(netlink, domain, states, port, bytes, visit, argument);
    }
    if (bytes != MAP_FAILED) {
        (void)munmap(bytes, DATAGRAM);
    }
    if (netlink >= 0) {
        (void)real.close(netlink);
    }
    return result;
}

/* A thread that is to be cancelled would end in the midst of the handler. */
int sockdiag_each(int domain, uint32_t states, uint16_t port,
                  void (*visit)(const struct inet_diag_msg *socket, void *argument), void *argument)
{
    int cancels;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
    int result = with_pages(domain, states, port, visit, argument);

    (void)pthread_setcancelstate(cancels, NULL);
    return result;
}
