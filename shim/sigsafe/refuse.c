/* SPDX-License-Identifier: MIT */
/* The refusals, best first. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/life.h"
#include "sigsafe/log.h"
#include "sigsafe/real.h"
#include "sigsafe/refuse.h"
#include "sigsafe/reuseport.h"

static bool still_listens(int fd)
{
    int listens = 0;
    socklen_t size = sizeof(listens);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

static bool refuse_by_blackhole(int fd)
{
    int nowhere = REFUSE_NO_INTERFACE;

    return setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &nowhere, sizeof(nowhere)) == 0;
}

static bool has_filter(int fd)
{
    socklen_t instructions = 0;

    return getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &instructions) != 0 || instructions > 0;
}

/* Drop segments with SYN and without ACK: byte 13 of the TCP header. The program's own is kept. */
static bool refuse_by_filter(int fd)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),          BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x12),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x02, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    };
    struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};

    return !has_filter(fd) &&
           setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/*
 * Noted first: the shutdown wakes threads that are blocked in accept, and what they do about it
 * depends on the note.
 */
static enum listener_refusal refuse_by_shutdown(struct listener *listener, int fd)
{
    atomic_store(&listener->refusal, REFUSAL_SHUTDOWN);
    return real.shutdown(fd, SHUT_RD) == 0 ? REFUSAL_SHUTDOWN : REFUSAL_NONE;
}

/* Without privilege it can't be done twice, and a relative may have been faster. */
static bool is_nowhere(int fd)
{
    int index = 0;
    socklen_t size = sizeof(index);

    return getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &index, &size) == 0 &&
           index == REFUSE_NO_INTERFACE;
}

static enum listener_refusal refuse_tcp(struct listener *listener, int fd)
{
    if (refuse_by_blackhole(fd) || is_nowhere(fd)) {
        return REFUSAL_BLACKHOLE;
    }
    log_warn("SO_BINDTOIFINDEX failed (errno %d) on listener %d: refusing in another way", errno,
             fd);
    if (refuse_by_filter(fd)) {
        return REFUSAL_FILTER;
    }
    if (real.listen(fd, 0) == 0) {
        return REFUSAL_BACKLOG;
    }
    return refuse_by_shutdown(listener, fd);
}

static enum listener_refusal refuse_one(struct listener *listener, int fd)
{
    switch (listener->domain) {
    case AF_INET:
    case AF_INET6:
        return refuse_tcp(listener, fd);
    case AF_UNIX:
        return refuse_by_shutdown(listener, fd);
    default: /* vsock and others have neither */
        return real.listen(fd, 0) == 0 ? REFUSAL_BACKLOG : REFUSAL_NONE;
    }
}

bool refuse_is_on(void)
{
    return atomic_load(&life->refusing) != 0;
}

static bool is_tcp(const struct listener *listener)
{
    return listener->domain == AF_INET || listener->domain == AF_INET6;
}

static void leave_later(struct listener *listener)
{
    uint32_t none = REFUSAL_NONE;

    (void)atomic_compare_exchange_strong(&listener->refusal, &none, REFUSAL_LEAVING);
}

static void refuse(struct listener *listener)
{
    int fd = atomic_load(&listener->fd);
    uint32_t noted = REFUSAL_NONE;

    if (fd < 0 || listener->is_data || atomic_load(&listener->refusal) != REFUSAL_NONE ||
        !still_listens(fd)) {
        return;
    }
    if (is_tcp(listener) && reuseport_has_strangers(listener, fd)) {
        leave_later(listener);
        return;
    }
    enum listener_refusal refusal = refuse_one(listener, fd);

    /* A thread that accepts may have gone on from SHUTDOWN to DECOY by now: that stays. */
    if (!atomic_compare_exchange_strong(&listener->refusal, &noted, refusal) &&
        refusal == REFUSAL_NONE) {
        atomic_store(&listener->refusal, REFUSAL_NONE);
    }
    if (refusal == REFUSAL_NONE) {
        log_error("listener %d can't be refused (errno %d)", fd, errno);
    }
}

/* Siblings are no strangers, but they are why a member that stops alone leaves. */
bool refuse_the_last(struct listener *listener)
{
    uint32_t leaving = REFUSAL_LEAVING;
    int fd = atomic_load(&listener->fd);

    if (!(family_leads() || atomic_load(&life->told)) || reuseport_has_strangers(listener, fd) ||
        !atomic_compare_exchange_strong(&listener->refusal, &leaving, REFUSAL_NONE)) {
        return false;
    }
    refuse(listener);
    return true;
}

void refuse_all(void)
{
    atomic_store(&life->refusing, 1);
    fdtab_shut();
    if (family_self()) {
        atomic_store(&family->refused, 1);
    }
    for (uint32_t i = 0; i < listeners_high(); i++) {
        refuse(&listeners[i]);
    }
}

void refuse_hush(struct listener *listener)
{
    uint32_t leaving = REFUSAL_LEAVING;

    (void)refuse_by_blackhole(atomic_load(&listener->fd)); /* else it is left all the same */
    (void)atomic_compare_exchange_strong(&listener->refusal, &leaving, REFUSAL_HUSHED);
}

/* What it has inherited is refused by the owner, as far as that still has it (haproxy's master execs). */
static bool is_ours_to_refuse(const struct listener *listener, int fd)
{
    return listener->pid == life->pid || (is_tcp(listener) && !is_nowhere(fd));
}

void refuse_own(bool alone)
{
    for (uint32_t i = 0; i < listeners_high(); i++) {
        struct listener *listener = &listeners[i];
        int fd = atomic_load(&listener->fd);

        if (fd < 0) {
            continue;
        }
        if (alone && listener->pid == life->pid && is_tcp(listener) && reuseport_is_set(fd)) {
            leave_later(listener);
        } else if (alone ? listener->pid == life->pid : is_ours_to_refuse(listener, fd)) {
            refuse(listener);
        } else if (!alone && is_tcp(listener) && reuseport_has_strangers(listener, fd)) {
            leave_later(listener);
        }
    }
}
