/* SPDX-License-Identifier: MIT */
/* The table of listening sockets. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sigsafe/decoy.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"
#include "sigsafe/listeners.h"
#include "sigsafe/log.h"

#define EPHEMERAL_PORTS 32768 /* ip(7), ip_local_port_range's usual lower end */

/* All zero to begin with: no page of it exists before it is used. */
struct listener listeners[LISTENERS_MOST];

static _Atomic uint32_t high;

uint32_t listeners_high(void)
{
    return atomic_load_explicit(&high, memory_order_acquire);
}

static int socket_option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    (void)getsockopt(fd, SOL_SOCKET, name, &value, &size);
    return value;
}

uint16_t listeners_port_of(const struct sockaddr_storage *address)
{
    switch (address->ss_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)address)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    default:
        return 0;
    }
}

/*
 * A passive data listener of FTP and the like: opened while a connection is there, on a port that
 * nobody could have configured. Refusing it would cut a transfer that has been promised.
 */
static bool is_data_listener(const struct listener *listener)
{
    return listeners_port_of(&listener->address) >= EPHEMERAL_PORTS && fdtab_has_connections();
}

static void start_slot(struct listener *slot, int fd, int backlog)
{
    slot->domain = socket_option(fd, SO_DOMAIN);
    slot->backlog = backlog;
    slot->pid = life->pid;
    slot->address_size = sizeof(slot->address);
    if (getsockname(fd, (struct sockaddr *)&slot->address, &slot->address_size) != 0) {
        slot->address_size = 0;
    }
    slot->is_data = is_data_listener(slot);
    slot->refusal = REFUSAL_NONE;
    slot->stash = LISTENER_STASH_NONE;
    slot->rescued = 0;
    for (int i = 0; i < LISTENER_EPOLLS; i++) {
        slot->epolls[i].epfd = -1;
    }
    for (int i = 0; i < LISTENER_STRIPES; i++) {
        slot->accepted[i].count = 0;
    }
    atomic_store(&slot->fd, fd);
}

/*
 * Slots are used in turn: the address of a closed listener stays known for as long as possible,
 * for its connections are recognised by it.
 */
static struct listener *take_slot(int fd, int backlog)
{
    static _Atomic uint32_t turn;
    uint32_t first = atomic_fetch_add(&turn, 1);

    for (uint32_t n = 0; n < LISTENERS_MOST; n++) {
        uint32_t i = (first + n) % LISTENERS_MOST;
        uint32_t no = 0;

        if (atomic_compare_exchange_strong(&listeners[i].claimed, &no, 1)) {
            uint32_t seen = listeners_high();

            start_slot(&listeners[i], fd, backlog);
            while (seen <= i && !atomic_compare_exchange_weak(&high, &seen, i + 1)) {
            }
            return &listeners[i];
        }
    }
    return NULL;
}

static void tell_once_too_many(int fd)
{
    static _Atomic uint32_t told;

    if (atomic_exchange(&told, 1) == 0) {
        log_warn("more than %d listeners: descriptor %d, and what comes after it, is neither "
                 "refused nor drained",
                 LISTENERS_MOST, fd);
    }
}

void listeners_record(int fd, int backlog)
{
    struct listener *known = listeners_of(fd);

    if (known) {
        known->backlog = backlog;
        return;
    }
    struct listener *slot = take_slot(fd, backlog);

    if (!slot) {
        tell_once_too_many(fd);
    } else {
        fdtab_record(fd, FD_LISTENER, (uint32_t)(slot - listeners));
        family_publish_listener(listeners_cookie(fd), &slot->address, slot->address_size);
        if (slot->domain == AF_UNIX) {
            atomic_store(&decoy_wanted, 1);
        }
    }
}

/* Another descriptor of listener `index`, or -1. */
static int find_copy(int but, uint32_t index)
{
    uint32_t end = atomic_load_explicit(&fdtab.high, memory_order_relaxed);

    for (uint32_t fd = 0; fd < end; fd++) {
        if ((int)fd != but && fdtab_kind((int)fd) == FD_LISTENER &&
            atomic_load(&fdtab.entries[fd].activity) == index) {
            return (int)fd;
        }
    }
    return -1;
}

void listeners_forget(int fd, uint32_t index)
{
    if (index < LISTENERS_MOST && atomic_load(&listeners[index].fd) == fd) {
        int copy = find_copy(fd, index);

        atomic_store(&listeners[index].fd, copy);
        if (copy < 0) {
            atomic_store(&listeners[index].claimed, 0);
        }
    }
}

struct listener *listeners_of(int fd)
{
    struct fd_entry *entry = fdtab_find(fd);

    if (!entry || atomic_load_explicit(&entry->kind, memory_order_acquire) != FD_LISTENER) {
        return NULL;
    }
    uint32_t index = atomic_load_explicit(&entry->activity, memory_order_relaxed);

    return index < LISTENERS_MOST ? &listeners[index] : NULL;
}

uint32_t listeners_choose_stripe(void)
{
    static _Atomic uint32_t next;

    life_thread.stripe = 1 + atomic_fetch_add(&next, 1) % LISTENER_STRIPES;
    return life_thread.stripe;
}

void listeners_count_afresh(void)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        listeners[i].rescued = 0;
        for (int stripe = 0; stripe < LISTENER_STRIPES; stripe++) {
            listeners[i].accepted[stripe].count = 0;
        }
    }
}

uint64_t listeners_accepted(const struct listener *listener)
{
    uint64_t sum = 0;

    for (int i = 0; i < LISTENER_STRIPES; i++) {
        sum += atomic_load_explicit(&listener->accepted[i].count, memory_order_relaxed);
    }
    return sum;
}

/*
 * An accepted socket has its listener's port, or its listener's path (unix(7)); one that the
 * program itself connected has an ephemeral port, or no name.
 */
static bool same_service(const struct sockaddr_storage *mine, socklen_t size,
                         const struct sockaddr_storage *address, socklen_t address_size)
{
    uint16_t port = listeners_port_of(mine);

    if (port != 0 || address_size == 0) {
        return address_size != 0 && port == listeners_port_of(address);
    }
    return mine->ss_family == AF_UNIX && size > sizeof(sa_family_t) && size == address_size &&
           memcmp(mine, address, size) == 0;
}

static bool is_of_this_process(const struct sockaddr_storage *mine, socklen_t size)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        if (same_service(mine, size, &listeners[i].address, listeners[i].address_size)) {
            return true;
        }
    }
    return false;
}

static bool is_of_family(const struct sockaddr_storage *mine, socklen_t size,
                         const struct family_layout *layout)
{
    struct sockaddr_storage address;

    for (uint32_t i = 0; layout && i < FAMILY_LISTENERS; i++) {
        if (same_service(mine, size, &address, family_listener_address(layout, i, &address))) {
            return true;
        }
    }
    return false;
}

bool listeners_serve_as(int fd, const struct family_layout *layout)
{
    struct sockaddr_storage mine, peer;
    socklen_t size = sizeof(mine), peer_size = sizeof(peer);

    memset(&mine, 0, sizeof(mine));
    if (getsockname(fd, (struct sockaddr *)&mine, &size) != 0 ||
        socket_option(fd, SO_ACCEPTCONN) != 0 || socket_option(fd, SO_TYPE) == SOCK_DGRAM) {
        return false;
    }
    return (is_of_this_process(&mine, size) || is_of_family(&mine, size, layout)) &&
           (mine.ss_family != AF_UNIX ||
            getpeername(fd, (struct sockaddr *)&peer, &peer_size) == 0);
}

bool listeners_serve(int fd)
{
    return listeners_serve_as(fd, family);
}

bool listeners_may_listen(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof(name), none = 0;

    return socket_option(fd, SO_TYPE) == SOCK_STREAM &&
           getsockname(fd, (struct sockaddr *)&name, &size) == 0 && size > sizeof(sa_family_t) &&
           getpeername(fd, (struct sockaddr *)&name, &none) != 0 && errno == ENOTCONN;
}

uint64_t listeners_cookie(int fd)
{
    uint64_t cookie = 0;
    socklen_t size = sizeof(cookie);

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

static struct listener_epoll *epoll_slot(struct listener *listener, int epfd)
{
    for (int i = 0; i < LISTENER_EPOLLS; i++) {
        if (listener->epolls[i].epfd == epfd) {
            return &listener->epolls[i];
        }
    }
    return NULL;
}

void listeners_note_epoll(struct listener *listener, int epfd, int op, uint32_t events,
                          uint64_t data)
{
    struct listener_epoll *slot = epoll_slot(listener, epfd);

    if (op == EPOLL_CTL_DEL) {
        if (slot) {
            slot->epfd = -1;
        }
        return;
    }
    slot = slot ? slot : epoll_slot(listener, -1);
    if (slot) {
        slot->events = events;
        slot->data = data;
        slot->epfd = epfd;
    }
}
