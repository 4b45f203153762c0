/* SPDX-License-Identifier: MIT */
/* bind, listen, accept, accept4: where a process arms and connections come from. */
/* Context: MT-Safe, cancellation points; the first listen or accept allocates (arming). */
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "sigsafe/decoy.h"
#include "sigsafe/direct.h"
#include "sigsafe/evidence.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/listeners.h"
#include "sigsafe/refuse.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/transfer.h"
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

/* Whatever the process is doing, and however the call has gone. */
static void record(struct listener *listener, int fd)
{
    if (!listener || fd < 0) {
        return;
    }
    bool rescued = atomic_load_explicit(&listener->refusal, memory_order_relaxed) != REFUSAL_NONE ||
                   atomic_load_explicit(&life->told, memory_order_relaxed) != 0;

    fdtab_record(fd, rescued ? FD_CONNECTION | FD_RESCUED : FD_CONNECTION, 0);
    listeners_count_accepted(listener);
    if (rescued) {
        atomic_fetch_add_explicit(&listener->rescued, 1, memory_order_relaxed);
    }
    if (UNLIKELY(atomic_load_explicit(&life->sandboxed, memory_order_relaxed))) {
        family_count();
    }
}

/* By the call that the program has made: a sandbox may know only one of the two. */
enum call { CALL_ACCEPT, CALL_ACCEPT4 };

static inline ALWAYS_INLINE int through_libc(enum call call, int fd, struct sockaddr *address,
                                             socklen_t *size, int flags)
{
    return call == CALL_ACCEPT ? real.accept(fd, address, size)
                               : real.accept4(fd, address, size, flags);
}

/* -errno if it fails. */
static inline ALWAYS_INLINE long through_kernel(enum call call, int fd, struct sockaddr *address,
                                                socklen_t *size, int flags)
{
    return call == CALL_ACCEPT
               ? direct_call(SYS_accept, fd, (long)address, (long)size)
               : direct_call_six(SYS_accept4, fd, (long)address, (long)size, flags, 0, 0);
}

static NOINLINE int oddly(enum call call, int fd, struct sockaddr *address, socklen_t *size,
                          int flags)
{
    struct listener *listener = life_tracks() ? listeners_of(fd) : NULL;
    int got;

    listener = listener ? listener : adopt(fd);
    begin_to_accept();
    (void)fdtab_reopen();
    struct wait wait = wait_begin();

    do {
        got = take_stash(listener, address, size, flags);
        got = got >= 0 ? got : through_libc(call, fd, address, size, flags);
    } while (comes_again(&wait, listener, fd, got));
    record(listener, got);
    return got;
}

/* The usual call has failed, or the gate was shut while it waited. */
static COLD int ended_oddly(enum call call, int fd, struct sockaddr *address, socklen_t *size,
                            int flags, int got, struct listener *listener)
{
    if (got >= 0) {
        record(listener, got);
        return got;
    }
    int64_t since = 0;

    return transfer_again(&since, fd, SO_RCVTIMEO, TRANSFER_HALF(address), TRANSFER_HALF(size)) ||
                   (errno == EINVAL && decoy_absorb(listener))
               ? oddly(call, fd, address, size, flags)
               : -1;
}

/* The same where the wrapper has made the call. */
static COLD int alone_ended_oddly(enum call call, int fd, struct sockaddr *address, socklen_t *size,
                                  int flags, long got, struct listener *listener)
{
    return ended_oddly(call, fd, address, size, flags, (int)transfer_result(got), listener);
}

/* The listener of fd if nothing more is to be asked, else NULL. */
static inline ALWAYS_INLINE struct listener *usual_listener(int fd)
{
    if (UNLIKELY(!evidence_is_open(fd))) {
        return NULL;
    }
    struct fd_entry *entry = evidence_entry(fd);
    uint32_t index = INNER_PEEK(uint32_t, entry->activity);
    bool is_usual = INNER_PEEK(uint8_t, entry->kind) == FD_LISTENER && index < LISTENERS_MOST &&
                    INNER_PEEK(uint32_t, life->accepts) != 0;

    return LIKELY(is_usual) ? &listeners[index] : NULL;
}

static inline ALWAYS_INLINE int usual(int got, struct listener *listener)
{
    fdtab_record_connection(got);
    listeners_count_accepted(listener);
    return got;
}

static NOINLINE int in_threads(enum call call, int fd, struct sockaddr *address, socklen_t *size,
                               int flags, struct listener *listener)
{
    int got = through_libc(call, fd, address, size, flags);

    return LIKELY(evidence_is_open(got))
               ? usual(got, listener)
               : ended_oddly(call, fd, address, size, flags, got, listener);
}

static inline ALWAYS_INLINE int wrapped(enum call call, int fd, struct sockaddr *address,
                                        socklen_t *size, int flags)
{
    struct listener *listener = usual_listener(fd);

    if (UNLIKELY(!listener)) {
        return oddly(call, fd, address, size, flags);
    }
    if (UNLIKELY(!alone_now())) {
        return in_threads(call, fd, address, size, flags, listener);
    }
    long got = through_kernel(call, fd, address, size, flags);

    return LIKELY(evidence_is_open((int)got))
               ? usual((int)got, listener)
               : alone_ended_oddly(call, fd, address, size, flags, got, listener);
}

WRAP int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return wrapped(CALL_ACCEPT, fd, address, size, 0);
}

WRAP int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict size, int flags)
{
    return wrapped(CALL_ACCEPT4, fd, address, size, flags);
}
