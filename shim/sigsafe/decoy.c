/* SPDX-License-Identifier: MIT */
/* The stash and the decoy of listeners that were refused by SHUT_RD. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/un.h>

#include "sigsafe/decoy.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"
#include "sigsafe/log.h"
#include "sigsafe/real.h"
#include "sigsafe/refuse.h"
#include "sigsafe/reuseport.h"
#include "sigsafe/tell.h"

_Atomic uint32_t decoy_wanted;

static int descriptor_flags(int fd)
{
    return real.fcntl(fd, F_GETFD, NULL) & FD_CLOEXEC ? O_CLOEXEC : 0;
}

/* unix(7), autobind: an address of the family alone gets a name in the abstract namespace. */
static bool hide_unix(int decoy)
{
    struct sockaddr_un unnamed = {.sun_family = AF_UNIX};

    return real.bind(decoy, (struct sockaddr *)&unnamed, sizeof(unnamed.sun_family)) == 0;
}

/* On an interface that doesn't exist; where that can't be, on a port that nobody knows. */
static bool hide_inet(int decoy)
{
    int nowhere = REFUSE_NO_INTERFACE;

    (void)setsockopt(decoy, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof(nowhere));
    return true;
}

/* A listening socket of the same family and flags that has no name anyone could know. */
static int make_decoy(int fd, int domain)
{
    int status = real.fcntl(fd, F_GETFL, NULL);
    int decoy = socket(domain, SOCK_STREAM | SOCK_CLOEXEC | (status & O_NONBLOCK), 0);

    if (decoy < 0) {
        return -errno;
    }
    bool hidden = domain == AF_UNIX ? hide_unix(decoy) : hide_inet(decoy);

    if (!hidden || real.listen(decoy, 0) != 0) {
        int error = errno;

        (void)real.close(decoy);
        return -error;
    }
    return decoy;
}

static void move_epolls(struct listener *listener, int fd, int op)
{
    for (int i = 0; i < LISTENER_EPOLLS; i++) {
        struct listener_epoll *slot = &listener->epolls[i];
        struct epoll_event event = {.events = slot->events, .data.u64 = slot->data};
        int epfd = atomic_load(&slot->epfd);

        if (epfd >= 0) {
            (void)real.epoll_ctl(epfd, op, fd, &event);
        }
    }
}

static void put_over(struct listener *listener, int decoy, int fd)
{
    int flags = descriptor_flags(fd);

    move_epolls(listener, fd, EPOLL_CTL_DEL);
    (void)real.dup3(decoy, fd, flags);
    move_epolls(listener, fd, EPOLL_CTL_ADD);
}

/* Put this socket under every number that the listener has. */
static void put_everywhere(struct listener *listener, int socket)
{
    uint32_t end = atomic_load_explicit(&fdtab.high, memory_order_relaxed);

    for (uint32_t fd = 0; fd < end; fd++) {
        if ((int)fd != socket && listeners_of((int)fd) == listener) {
            put_over(listener, socket, (int)fd);
        }
    }
}

static int decoy_for(const struct listener *listener)
{
    int fd = atomic_load(&listener->fd), decoy = make_decoy(fd, listener->domain);

    if (decoy < 0) {
        log_warn("no decoy for listener %d (errno %d)", fd, -decoy);
    }
    return decoy;
}

static bool put_decoy(struct listener *listener)
{
    int decoy = decoy_for(listener);

    if (decoy < 0) {
        return false;
    }
    put_everywhere(listener, decoy);
    (void)real.close(decoy);
    return true;
}

/* The caller holds the stash as BUSY. */
static bool swap(struct listener *listener)
{
    uint32_t expected = REFUSAL_SHUTDOWN;

    if (!atomic_compare_exchange_strong(&listener->refusal, &expected, REFUSAL_DECOY)) {
        return expected == REFUSAL_DECOY;
    }
    if (!put_decoy(listener)) {
        atomic_store(&listener->refusal, REFUSAL_SHUTDOWN);
        return false;
    }
    return true;
}

static bool is_shut_down(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLRDHUP};
    int saved = errno;
    bool shut = real.poll(&one, 1, 0) == 1 && (one.revents & POLLRDHUP);

    errno = saved;
    return shut;
}

/* The refusal of a listener; an AF_UNIX one may have been shut down by the family's owner. */
static uint32_t refusal_of(struct listener *listener)
{
    uint32_t refusal = atomic_load(&listener->refusal);

    if (refusal == REFUSAL_NONE && listener->domain == AF_UNIX && family_self() &&
        atomic_load(&family->refused) && is_shut_down(atomic_load(&listener->fd)) &&
        atomic_compare_exchange_strong(&listener->refusal, &refusal, REFUSAL_SHUTDOWN)) {
        refusal = REFUSAL_SHUTDOWN;
    }
    return refusal;
}

void decoy_note_family(void)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        if (atomic_load(&listeners[i].fd) >= 0) {
            (void)refusal_of(&listeners[i]);
        }
    }
}

static void leave(struct listener *listener)
{
    uint32_t none = REFUSAL_NONE;

    if (atomic_load(&listener->fd) >= 0 && !listener->is_data &&
        atomic_compare_exchange_strong(&listener->refusal, &none, REFUSAL_LEFT) &&
        !put_decoy(listener)) {
        atomic_store(&listener->refusal, REFUSAL_NONE);
    }
}

void decoy_leave_all(void)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        leave(&listeners[i]);
    }
}

/*
 * The socket goes with its last descriptor, and whoever waits on it holds it, too: one of our own keeps
 * it until all have moved to the decoy. What has arrived by then brings it back under its numbers.
 */
static bool exchange(struct listener *listener, int decoy, bool all)
{
    int fd = atomic_load(&listener->fd);
    int kept = all ? -1 : real.fcntl(fd, F_DUPFD_CLOEXEC, NULL);

    put_everywhere(listener, decoy);
    tell_move_threads();
    bool goes = kept < 0 || reuseport_is_empty(kept);

    if (!goes) {
        put_everywhere(listener, kept);
        tell_move_threads();
    }
    if (kept >= 0) {
        (void)real.close(kept);
    }
    return goes;
}

/* A process that never accepts leaves at once: the others would wait for it in vain. */
static bool leave_group(struct listener *listener, bool all)
{
    uint32_t leaving = REFUSAL_LEAVING;
    int fd = atomic_load(&listener->fd);

    all |= !atomic_load(&life->accepts);
    if (listener->is_data || (!all && !reuseport_is_empty(fd))) {
        return false;
    }
    int decoy = decoy_for(listener);

    if (decoy < 0 || !atomic_compare_exchange_strong(&listener->refusal, &leaving, REFUSAL_LEFT)) {
        if (decoy >= 0) {
            (void)real.close(decoy);
        }
        return false;
    }
    bool goes = exchange(listener, decoy, all);

    if (!goes) {
        atomic_store(&listener->refusal, REFUSAL_LEAVING);
    }
    (void)real.close(decoy);
    return goes;
}

bool decoy_leave_empty(bool all)
{
    bool left_all = true;

    for (uint32_t i = 0; i < listeners_high(); i++) {
        if (atomic_load(&listeners[i].fd) >= 0 &&
            atomic_load(&listeners[i].refusal) == REFUSAL_LEAVING) {
            left_all &= refuse_the_last(&listeners[i]) || leave_group(&listeners[i], all);
        }
    }
    return left_all;
}

/* After SHUT_RD accept never blocks: an empty queue is EINVAL, or EAGAIN if it needn't wait. */
static bool look_into_queue(struct listener *listener, int fd)
{
    int none = LISTENER_STASH_NONE;

    if (!atomic_compare_exchange_strong(&listener->stash, &none, LISTENER_STASH_BUSY)) {
        return true; /* it holds one, or another thread looks right now */
    }
    if (atomic_load(&listener->refusal) != REFUSAL_SHUTDOWN) {
        atomic_store(&listener->stash, LISTENER_STASH_NONE);
        return true; /* the decoy is there, and would block */
    }
    int got = real.accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    bool empty = got < 0 && (errno == EINVAL || errno == EAGAIN);
    bool quiet = empty && swap(listener);

    atomic_store(&listener->stash, got >= 0 ? got : LISTENER_STASH_NONE);
    return !quiet;
}

bool decoy_is_ready(int fd)
{
    struct listener *listener = listeners_of(fd);
    int saved = errno;

    if (!listener || refusal_of(listener) != REFUSAL_SHUTDOWN) {
        return true;
    }
    bool ready = look_into_queue(listener, fd);

    errno = saved;
    return ready;
}

bool decoy_is_ready_event(int epfd, const struct epoll_event *event)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        struct listener *listener = &listeners[i];

        if (refusal_of(listener) != REFUSAL_SHUTDOWN) {
            continue;
        }
        for (int e = 0; e < LISTENER_EPOLLS; e++) {
            const struct listener_epoll *slot = &listener->epolls[e];

            if (atomic_load(&slot->epfd) == epfd && slot->data == event->data.u64) {
                return decoy_is_ready(atomic_load(&listener->fd));
            }
        }
    }
    return true;
}

static void apply_flags(int fd, int flags)
{
    if (!(flags & SOCK_CLOEXEC)) {
        (void)real.fcntl(fd, F_SETFD, NULL);
    }
    if (flags & SOCK_NONBLOCK) {
        (void)real.fcntl(fd, F_SETFL, (void *)(long)(O_RDWR | O_NONBLOCK));
    }
}

int decoy_take_stash(struct listener *listener, struct sockaddr *address, socklen_t *size,
                     int flags)
{
    int got = atomic_load(&listener->stash);
    int saved = errno;

    if (got < 0 || !atomic_compare_exchange_strong(&listener->stash, &got, LISTENER_STASH_NONE)) {
        return -1;
    }
    apply_flags(got, flags);
    if (address && size && getpeername(got, address, size) != 0) {
        *size = 0;
    }
    errno = saved;
    return got;
}

bool decoy_absorb(struct listener *listener)
{
    int none = LISTENER_STASH_NONE;

    uint32_t refusal = refusal_of(listener);

    if (refusal < REFUSAL_SHUTDOWN || (refusal > REFUSAL_SHUTDOWN && life_released())) {
        return false; /* the program has shut the decoy down itself */
    }
    if (!atomic_compare_exchange_strong(&listener->stash, &none, LISTENER_STASH_BUSY)) {
        return true; /* there is one to be had, or another thread looks right now */
    }
    bool quiet = swap(listener);

    atomic_store(&listener->stash, LISTENER_STASH_NONE);
    if (!quiet) {
        errno = EAGAIN; /* no descriptor left for a decoy: say what an empty queue says */
    }
    return quiet;
}
