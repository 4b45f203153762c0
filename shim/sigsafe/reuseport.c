/* SPDX-License-Identifier: MIT */
/* Who listens beside us on the same address and port? */
/* Context: AS-Safe, MT-Safe; makes system calls, never waits for the network. */
#include "sigsafe/reuseport.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "sigsafe/family.h"
#include "sigsafe/sockdiag.h"

bool reuseport_is_set(int fd)
{
    int set = 0;
    socklen_t size = sizeof(set);

    return getsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &set, &size) == 0 && set;
}

struct group {
    uint16_t port; /* network order, like the address */
    const void *address;
    size_t address_size;
    uint32_t strangers;
};

static uint64_t cookie_of(const struct inet_diag_msg *socket)
{
    return (uint64_t)socket->id.idiag_cookie[1] << 32 | socket->id.idiag_cookie[0];
}

static bool is_known(uint64_t cookie)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        int fd = atomic_load(&listeners[i].fd);

        if (fd >= 0 && listeners_cookie(fd) == cookie) {
            return true;
        }
    }
    return family && family_listens(family, cookie);
}

static void look(const struct inet_diag_msg *socket, void *argument)
{
    struct group *group = argument;

    if (socket->id.idiag_sport == group->port &&
        memcmp(socket->id.idiag_src, group->address, group->address_size) == 0 &&
        !is_known(cookie_of(socket))) {
        group->strangers++;
    }
}

bool reuseport_has_strangers(const struct listener *listener, int fd)
{
    const struct sockaddr_in *four = (const void *)&listener->address;
    const struct sockaddr_in6 *six = (const void *)&listener->address;
    bool is_four = listener->address.ss_family == AF_INET;
    struct group group = {
        .port = is_four ? four->sin_port : six->sin6_port,
        .address = is_four ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr,
        .address_size = is_four ? sizeof(four->sin_addr) : sizeof(six->sin6_addr),
    };

    return reuseport_is_set(fd) &&
           sockdiag_each(listener->domain, 1u << TCP_LISTEN, group.port, look, &group) == 0 &&
           group.strangers > 0;
}
