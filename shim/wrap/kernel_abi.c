/* SPDX-License-Identifier: MIT */
/* Leads system calls with the kernel's own signal sets to the wrappers. */
/* Context: as the wrappers that they lead to. */
#include <linux/futex.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"
#include "wrap/kernel_abi.h"
#include "wrap/patience.h"
#include "wrap/wrap.h"

#define KERNEL_SET_SIZE 8

/*
 * Copy what the kernel itself would copy: a bad address is EFAULT here too. Where the system call
 * isn't to be had (a sandbox), the address is trusted.
 */
static bool fetch(void *room, long address, size_t size)
{
    struct iovec local = {room, size}, remote = {(void *)address, size};
    int saved = errno;
    long n = real.syscall(SYS_process_vm_readv, getpid(), (long)&local, 1, (long)&remote, 1, 0);

    if (n == -1 && errno == EFAULT) {
        return false;
    }
    if (n != (long)size) {
        memcpy(room, (const void *)address, size);
    }
    errno = saved;
    return true;
}

/* The other way, for what the kernel would have written. */
static bool deliver(long address, const void *from, size_t size)
{
    struct iovec local = {(void *)from, size}, remote = {(void *)address, size};
    int saved = errno;
    long n = real.syscall(SYS_process_vm_writev, getpid(), (long)&local, 1, (long)&remote, 1, 0);

    if (n == -1 && errno == EFAULT) {
        return false;
    }
    if (n != (long)size) {
        memcpy((void *)address, from, size);
    }
    errno = saved;
    return true;
}

/* The wrappers' set from a kernel set; NULL stays NULL. False, with EFAULT, for a bad address. */
static bool widen(long set, sigset_t *room, const sigset_t **ret_set)
{
    (void)sigemptyset(room);
    *ret_set = set == 0 ? NULL : room;
    return set == 0 || fetch(room, set, KERNEL_SET_SIZE);
}

/* struct kernel_sigaction of asm/signal.h, the same on x86_64 and arm64. */
struct kernel_action {
    void *handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static struct sigaction from_kernel(const struct kernel_action *action)
{
    struct sigaction libc = {.sa_flags = (int)action->flags, .sa_restorer = action->restorer};

    libc.sa_handler = (real_handler)action->handler;
    memcpy(&libc.sa_mask, &action->mask, KERNEL_SET_SIZE);
    return libc;
}

static struct kernel_action to_kernel(const struct sigaction *libc)
{
    return (struct kernel_action){.handler = (void *)libc->sa_handler,
                                  .flags = (unsigned long)(unsigned)libc->sa_flags,
                                  .restorer = libc->sa_restorer,
                                  .mask = sigdisp_from_set(&libc->sa_mask)};
}

long kernel_rt_sigaction(long signo, long action, long old, long size)
{
    bool is_virtual = sigdisp_is_virtual((int)signo);

    if (!is_virtual || size != KERNEL_SET_SIZE) {
        return real.syscall(SYS_rt_sigaction, signo, action, old, size, 0, 0);
    }
    struct kernel_action given;
    struct sigaction wanted, before;

    if (action && !fetch(&given, action, sizeof(given))) {
        return -1;
    }
    if (action) {
        wanted = from_kernel(&given);
    }
    if (sigaction((int)signo, action ? &wanted : NULL, &before) != 0) {
        return -1;
    }
    struct kernel_action told = to_kernel(&before);

    return old == 0 || deliver(old, &told, sizeof(told)) ? 0 : -1;
}

long kernel_rt_sigprocmask(long how, long set, long old, long size)
{
    sigset_t room, before;
    const sigset_t *wide;

    if (size != KERNEL_SET_SIZE) {
        return real.syscall(SYS_rt_sigprocmask, how, set, old, size, 0, 0);
    }
    if (!widen(set, &room, &wide) || sigprocmask((int)how, wide, &before) != 0) {
        return -1;
    }
    return old == 0 || deliver(old, &before, KERNEL_SET_SIZE) ? 0 : -1;
}

long kernel_rt_sigtimedwait(long set, long info, long timeout, long size)
{
    sigset_t room;
    const sigset_t *wide;

    if (size != KERNEL_SET_SIZE || set == 0) {
        return real.syscall(SYS_rt_sigtimedwait, set, info, timeout, size, 0, 0);
    }
    if (!widen(set, &room, &wide)) {
        return -1;
    }
    return sigtimedwait(wide, (siginfo_t *)info, (const struct timespec *)timeout);
}

long kernel_rt_sigsuspend(long set, long size)
{
    sigset_t room;
    const sigset_t *wide;

    if (size != KERNEL_SET_SIZE || set == 0) {
        return real.syscall(SYS_rt_sigsuspend, set, size, 0, 0, 0, 0);
    }
    if (!widen(set, &room, &wide)) {
        return -1;
    }
    return sigsuspend(wide);
}

long kernel_signalfd(long fd, long set, long size, long flags)
{
    sigset_t room;
    const sigset_t *wide;

    if (size != KERNEL_SET_SIZE || set == 0) {
        return real.syscall(SYS_signalfd4, fd, set, size, flags, 0, 0);
    }
    if (!widen(set, &room, &wide)) {
        return -1;
    }
    return signalfd((int)fd, wide, (int)flags);
}

long kernel_ppoll(long fds, long count, long timeout, long set, long size)
{
    sigset_t room;
    const sigset_t *wide;

    if (set != 0 && size != KERNEL_SET_SIZE) {
        return real.syscall(SYS_ppoll, fds, count, timeout, set, size, 0);
    }
    if (!widen(set, &room, &wide)) {
        return -1;
    }
    return ppoll((struct pollfd *)fds, (nfds_t)count, (const struct timespec *)timeout, wide);
}

long kernel_pselect(long count, long r, long w, long e, long timeout, long set_and_size)
{
    const long *pair = (const long *)set_and_size;
    sigset_t room;
    const sigset_t *wide;

    if (pair && pair[0] != 0 && pair[1] != KERNEL_SET_SIZE) {
        return real.syscall(SYS_pselect6, count, r, w, e, timeout, set_and_size);
    }
    if (!widen(pair ? pair[0] : 0, &room, &wide)) {
        return -1;
    }
    return pselect((int)count, (fd_set *)r, (fd_set *)w, (fd_set *)e,
                   (const struct timespec *)timeout, wide);
}

long kernel_epoll_pwait(long epfd, long events, long most, long ms, long set, long size)
{
    sigset_t room;
    const sigset_t *wide;

    if (set != 0 && size != KERNEL_SET_SIZE) {
        return real.syscall(SYS_epoll_pwait, epfd, events, most, ms, set, size);
    }
    if (!widen(set, &room, &wide)) {
        return -1;
    }
    return epoll_pwait((int)epfd, (struct epoll_event *)events, (int)most, (int)ms, wide);
}

long kernel_epoll_pwait2(long epfd, long events, long most, long timeout, long set, long size)
{
    sigset_t room;
    const sigset_t *wide;

    if (set != 0 && size != KERNEL_SET_SIZE) {
        return real.syscall(SYS_epoll_pwait2, epfd, events, most, timeout, set, size);
    }
    if (!widen(set, &room, &wide)) {
        return -1;
    }
    return epoll_pwait2((int)epfd, (struct epoll_event *)events, (int)most,
                        (const struct timespec *)timeout, wide);
}

/* The function returns an error number, the system call -1. */
long kernel_clock_nanosleep(long clock, long flags, long time, long left)
{
    int error = clock_nanosleep((clockid_t)clock, (int)flags, (const struct timespec *)time,
                                (struct timespec *)left);

    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

/* The function has no fifth argument. */
long kernel_waitid(long type, long id, long info, long options, long usage)
{
    long result;

    WAIT_FOR(result, real.syscall(SYS_waitid, type, id, info, options, usage, 0));
    return result;
}

/* FUTEX_WAIT's timeout is relative, the other waits' is absolute: futex(2). */
long kernel_futex(long word, long op, long value, long timeout, long word2, long value3)
{
    bool relative = (op & FUTEX_CMD_MASK) == FUTEX_WAIT && timeout != 0;
    struct patience patience =
        patience_timespec(relative ? (const struct timespec *)timeout : NULL);
    struct timespec room;
    struct wait wait = wait_begin();
    long result = real.syscall(SYS_futex, word, op, value, timeout, word2, value3);

    while (wait_again(&wait, result)) {
        long left = relative ? (long)patience_left(&patience, &room) : timeout;

        result = real.syscall(SYS_futex, word, op, value, left, word2, value3);
    }
    return result;
}
