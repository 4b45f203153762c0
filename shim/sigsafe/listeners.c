/* SPDX-License-Identifier: MIT */
/* The table of listening sockets. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sigsafe/decoy.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/listeners.h"
#include "sigsafe/log.h"

#define EPHEMERAL_PORTS 32768 /* ip(7), ip_local_port_range's usual lower end */

struct listener listeners[LISTENERS_MOST] = {
    [0 ... LISTENERS_MOST - 1] = {.fd = -1, .stash = LISTENER_STASH_NONE},
};

static _Atomic uint32_t high;

uint32_t listeners_high(void)
{
    return atomic_load_explicit(&high, memory_order_acquire);
}

static int domain_of(int fd)
{
    int domain = AF_UNSPEC;
    socklen_t size = sizeof(domain);

    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size);
    return domain;
}

/*
 * A passive data listener of FTP and the like: opened while a connection is there, on a port that
 * nobody could have configured. Refusing it would cut a transfer that has been promised.
 */
static bool is_data_listener(const struct listener *listener)
{
    const struct sockaddr_in *four = (const void *)&listener->address;
    const struct sockaddr_in6 *six = (const void *)&listener->address;
    sa_family_t family = listener->address.ss_family;
    uint16_t port = family == AF_INET    ? ntohs(four->sin_port)
                    : family == AF_INET6 ? ntohs(six->sin6_port)
                                         : 0;

    return port >= EPHEMERAL_PORTS && fdtab_has_connections();
}

static void start_slot(struct listener *slot, int fd, int backlog)
{
    slot->domain = domain_of(fd);
    slot->backlog = backlog;
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
}

/*
 * Slots are used in turn: the address of a closed listener stays known for as long as possible,
 * for its connections are recognised by it. A slot is claimed by storing the descriptor; a reader
 * that comes between sees a refusal NONE.
 */
static struct listener *take_slot(int fd, int backlog)
{
    static _Atomic uint32_t turn;
    uint32_t first = atomic_fetch_add(&turn, 1);

    for (uint32_t n = 0; n < LISTENERS_MOST; n++) {
        uint32_t i = (first + n) % LISTENERS_MOST;
        int none = -1;

        if (atomic_compare_exchange_strong(&listeners[i].fd, &none, fd)) {
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
        atomic_store(&listeners[index].fd, find_copy(fd, index));
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

static uint32_t stripe_of_thread(void)
{
    static _Atomic uint32_t next;
    static _Thread_local uint32_t mine; /* 0: not chosen yet */

    if (mine == 0) {
        mine = 1 + atomic_fetch_add(&next, 1) % LISTENER_STRIPES;
    }
    return mine - 1;
}

void listeners_count_accepted(struct listener *listener)
{
    atomic_fetch_add_explicit(&listener->accepted[stripe_of_thread()].count, 1,
                              memory_order_relaxed);
    if (atomic_load_explicit(&listener->refusal, memory_order_relaxed) != REFUSAL_NONE) {
        atomic_fetch_add_explicit(&listener->rescued, 1, memory_order_relaxed);
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
