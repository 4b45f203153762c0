/* SPDX-License-Identifier: MIT */
/* bind, listen, accept, accept4: where a process arms and connections come from. */
/* Context: MT-Safe, cancellation points; the first listen or accept allocates (arming). */
#include <stdbool.h>
#include <sys/socket.h>

#include "sigsafe/decoy.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/listeners.h"
#include "sigsafe/refuse.h"
#include "sigsafe/safepoint.h"
#include "wrap/wrap.h"

/*
 * A process that binds and never listens may give the socket to others: wrap/fdpass.h. One that could
 * never be listened on (UDP: a message a datagram) must not make every sendmsg dearer.
 */
static void note_bind(int fd)
{
    int type = 0, saved = errno;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM) {
        atomic_store_explicit(&life->binds, 1, memory_order_relaxed);
    }
    errno = saved;
}

WRAP int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    int result = real.bind(fd, address, size);

    if (result == 0 && !life_armed() && !life_thread.in_vfork) {
        note_bind(fd);
    }
    return result;
}

WRAP int listen(int fd, int backlog)
{
    int result = real.listen(fd, backlog);

    if (result == 0 && !life_thread.in_vfork) {
        life_gate.join(fd);
        life_gate.arm();
        if (life_armed()) {
            listeners_record(fd, backlog);
        }
        if (UNLIKELY(refuse_is_on()) && life_armed() && !life_released()) {
            refuse_all(); /* a signal has come in between */
        }
    }
    return result;
}

/* The first accept on a listener that this process has inherited. */
static struct listener *adopt(int fd)
{
    int listens = 0, saved = errno;
    socklen_t size = sizeof(listens);

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
        !life_thread.in_vfork) {
        life_gate.join(fd);
        life_gate.arm();
        if (life_armed()) {
            listeners_record(fd, -1);
        }
    }
    errno = saved;
    return life_armed() ? listeners_of(fd) : NULL;
}

/* From here on this process may hold a connection. */
static void begin_to_accept(void)
{
    if (UNLIKELY(!atomic_load_explicit(&life->accepts, memory_order_relaxed)) && life_armed()) {
        atomic_store(&life->accepts, 1);
        listeners_count_afresh();
        family_activate();
    }
}

static bool comes_again(struct wait *wait, struct listener *listener, int fd, int result)
{
    return wait_again_on(wait, result, fd, SO_RCVTIMEO) ||
           UNLIKELY(result == -1 && errno == EINVAL && listener && decoy_absorb(listener));
}

static int take_stash(struct listener *listener, struct sockaddr *address, socklen_t *size,
                      int flags)
{
    if (!listener || atomic_load_explicit(&listener->refusal, memory_order_relaxed) == 0) {
        return -1;
    }
    return decoy_take_stash(listener, address, size, flags);
}

static void record(struct listener *listener, int fd)
{
    if (listener && fd >= 0) {
        bool rescued = atomic_load_explicit(&listener->refusal, memory_order_relaxed) != 0 ||
                       atomic_load_explicit(&life->told, memory_order_relaxed) != 0;

        fdtab_record(fd, rescued ? FD_CONNECTION | FD_RESCUED : FD_CONNECTION, 0);
        listeners_count_accepted(listener);
        if (UNLIKELY(atomic_load_explicit(&life->sandboxed, memory_order_relaxed))) {
            family_count();
        }
    }
}

WRAP int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    struct listener *listener = life_tracks() ? listeners_of(fd) : NULL;
    int got;

    listener = listener ? listener : adopt(fd);
    begin_to_accept();
    struct wait wait = wait_begin();

    do {
        got = take_stash(listener, address, size, 0);
        got = got >= 0 ? got : real.accept(fd, address, size);
    } while (comes_again(&wait, listener, fd, got));
    record(listener, got);
    return got;
}

WRAP int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
    struct listener *listener = life_tracks() ? listeners_of(fd) : NULL;
    int got;

    listener = listener ? listener : adopt(fd);
    begin_to_accept();
    struct wait wait = wait_begin();

    do {
        got = take_stash(listener, address, size, flags);
        got = got >= 0 ? got : real.accept4(fd, address, size, flags);
    } while (comes_again(&wait, listener, fd, got));
    record(listener, got);
    return got;
}
