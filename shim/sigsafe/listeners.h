/* SPDX-License-Identifier: MIT */
/* The listening sockets of this process: who they are, what they accepted, how they are refused. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A fixed table, so that the handler can walk it. A slot is taken when listen() succeeds (or at
 * the first accept on an inherited listener) and given back when its last descriptor is closed.
 *
 * Accepted connections are counted in stripes, one cache line a thread, so that two threads which
 * accept from one listener share no line because of us.
 */
#ifndef FLUXSHIM_SIGSAFE_LISTENERS_H
#define FLUXSHIM_SIGSAFE_LISTENERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "format/family_layout.h"
#include "sigsafe/alone.h"
#include "sigsafe/life.h"

#define LISTENERS_MOST   256
#define LISTENER_EPOLLS  4 /* epoll instances that one listener's registration is known for */
#define LISTENER_STRIPES 8

enum listener_refusal {
    REFUSAL_NONE,
    REFUSAL_BLACKHOLE, /* SO_BINDTOIFINDEX to an interface that doesn't exist */
    REFUSAL_FILTER,    /* a socket filter that drops SYNs */
    REFUSAL_BACKLOG,   /* listen(fd, 0): new connections wait and time out */
    REFUSAL_LEAVING,   /* not refused: to be left, see engine/leaving.h */
    REFUSAL_HUSHED,    /* as REFUSAL_BLACKHOLE, for the moment before it is left */
    REFUSAL_SHUTDOWN,  /* SHUT_RD: the queue stays acceptable, then accept says EINVAL */
    REFUSAL_DECOY,     /* SHUT_RD, queue empty: a silent listener sits on the number */
    REFUSAL_LEFT       /* not refused: a silent listener sits on the number in this member alone */
};

/* What epoll_ctl() said of a listener: needed to move the registration to a decoy. */
struct listener_epoll {
    _Atomic int epfd; /* -1: free */
    uint32_t events;
    uint64_t data;
};

struct listener {
    _Atomic int fd;           /* one descriptor of the listener, -1: it is closed */
    _Atomic uint32_t claimed; /* 0: the slot may be taken */
    int domain;               /* AF_INET, AF_INET6, AF_UNIX, ... */
    socklen_t address_size;
    struct sockaddr_storage address; /* where it listened when it was recorded */
    int backlog;
    pid_t pid;                /* who called listen(): in others it is inherited */
    bool is_data;             /* opened on behalf of a connection (FTP): never refused */
    _Atomic uint32_t refusal; /* enum listener_refusal */
    _Atomic int stash;        /* accepted by the shim to test the queue: -1 none, -2 busy */
    _Atomic uint64_t rescued; /* accepted after the refusal */
    struct listener_epoll epolls[LISTENER_EPOLLS];
    struct {
        _Alignas(64) _Atomic uint64_t count;
    } accepted[LISTENER_STRIPES];
};

#define LISTENER_STASH_NONE (-1)
#define LISTENER_STASH_BUSY (-2)

extern struct listener listeners[LISTENERS_MOST] INNER;

/* One more than the highest slot ever used; those from here on are no listeners, whatever they hold. */
uint32_t listeners_high(void);

/* fd listens (backlog < 0: not known, it was inherited). Known ones keep their slot. */
void listeners_record(int fd, int backlog);

/* fd, a descriptor of listener `index`, is about to be closed. */
void listeners_forget(int fd, uint32_t index);

/* The listener of a descriptor, or NULL. */
struct listener *listeners_of(int fd);

/* The rarer part of the next: the caller's stripe, from 1. */
uint32_t listeners_choose_stripe(void);

/* One more connection from it. Threads may share a stripe, so only one alone can do without a locked bus. */
static inline void listeners_count_accepted(struct listener *listener)
{
    uint32_t stripe = life_thread.stripe ? life_thread.stripe : listeners_choose_stripe();
    _Atomic uint64_t *count = &listener->accepted[(stripe - 1) % LISTENER_STRIPES].count;

    if (alone_now()) {
        INNER_PEEK(uint64_t, *count)++; /* one instruction: no handler comes in between */
    } else {
        atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    }
}

/*
 * Is fd a connected stream socket whose local address is that of a listener of this process, or of its
 * family's (of another family's)?
 */
bool listeners_serve(int fd);
bool listeners_serve_as(int fd, const struct family_layout *layout);

/* A stream socket with a name and no peer: somebody listens on it, or will. */
bool listeners_may_listen(int fd);

/* Port of an IPv4 or IPv6 address, else 0. */
uint16_t listeners_port_of(const struct sockaddr_storage *address);

/* The kernel's own name of a socket, the same for every descriptor and process; 0: unknown. */
uint64_t listeners_cookie(int fd);

/* A forked child has accepted nothing yet. */
void listeners_count_afresh(void);
uint64_t listeners_accepted(const struct listener *listener);

/* epoll_ctl(epfd, op, fd, event) has succeeded for this listener. */
void listeners_note_epoll(struct listener *listener, int epfd, int op, uint32_t events,
                          uint64_t data);

#endif
