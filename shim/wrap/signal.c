/* SPDX-License-Identifier: MIT */
/* sigaction and its relatives: on managed signals they act on the record, not on the kernel. */
/* Context: AS-Safe where the call is, MT-Safe. */
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>

#include "sigsafe/sigdisp.h"
#include "sigsafe/signalfds.h"
#include "wrap/fortified.h"
#include "wrap/wrap.h"

static int exchange(int signo, const struct sigaction *action, struct sigaction *ret_old)
{
    int error = sigdisp_exchange(signo, action, ret_old);

    if (error != 0) {
        errno = -error;
    }
    return error == 0 ? 0 : -1;
}

WRAP int sigaction(int signo, const struct sigaction *restrict action,
                   struct sigaction *restrict ret_old)
{
    return sigdisp_is_virtual(signo) ? exchange(signo, action, ret_old)
                                     : real.sigaction(signo, action, ret_old);
}

/* All the older calls come down to this; `mask` is what they add to a handler's. */
static real_handler set_handler(int signo, real_handler handler, int flags, uint64_t mask)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, old;

    if (handler == SIG_ERR) {
        errno = EINVAL;
        return SIG_ERR;
    }
    sigdisp_add_to_set(&action.sa_mask, mask);
    return exchange(signo, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}

WRAP real_handler signal(int signo, real_handler handler)
{
    return sigdisp_is_virtual(signo)
               ? set_handler(signo, handler, sigdisp_interrupts(signo) ? 0 : SA_RESTART,
                             sigdisp_bit(signo))
               : real.signal(signo, handler);
}

WRAP real_handler bsd_signal(int signo, real_handler handler)
{
    return signal(signo, handler);
}

WRAP real_handler ssignal(int signo, real_handler handler)
{
    return signal(signo, handler);
}

/* System V: one shot, not deferred, interrupting. */
WRAP real_handler sysv_signal(int signo, real_handler handler)
{
    return sigdisp_is_virtual(signo)
               ? set_handler(signo, handler, (int)(SA_RESETHAND | SA_NODEFER), 0)
               : real.sysv_signal(signo, handler);
}

WRAP real_handler __sysv_signal(int signo, real_handler handler)
{
    return sysv_signal(signo, handler);
}

WRAP int siginterrupt(int signo, int on)
{
    if (!sigdisp_is_virtual(signo)) {
        if (sigdisp_bit(signo)) {
            sigdisp_set_interrupt(signo, on);
        }
        return real.siginterrupt(signo, on);
    }
    struct sigaction action;

    sigdisp_set_interrupt(signo, on);
    sigdisp_current(signo, &action);
    action.sa_flags = on ? action.sa_flags & ~SA_RESTART : action.sa_flags | SA_RESTART;
    return exchange(signo, &action, NULL);
}

/* Masks --------------------------------------------------------------------------------------- */

static bool masks_are_virtual(void)
{
    return life_thread.owns_masks && life_armed() &&
           atomic_load_explicit(&life->masks_virtual, memory_order_relaxed);
}

WRAP int pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old)
{
    if (masks_are_virtual()) {
        return sigdisp_mask(how, set, ret_old);
    }
    if (set && life_in_vfork()) {
        life_thread.vfork_masked = 1;
    }
    sigset_t open;

    return real.pthread_sigmask(how, sigdisp_member_mask(how, set, &open), ret_old);
}

WRAP int sigprocmask(int how, const sigset_t *set, sigset_t *ret_old)
{
    int error = pthread_sigmask(how, set, ret_old);

    if (error != 0) {
        errno = error;
    }
    return error == 0 ? 0 : -1;
}

static sigset_t set_of(uint64_t bits)
{
    sigset_t set;

    (void)sigemptyset(&set);
    sigdisp_add_to_set(&set, bits);
    return set;
}

/* 4.3BSD: 32 signals in an int. */
static int change_mask(int how, unsigned mask)
{
    sigset_t set = set_of(mask), old;

    return sigprocmask(how, &set, &old) == 0 ? (int)(uint32_t)sigdisp_from_set(&old) : -1;
}

WRAP int sigblock(int mask)
{
    return change_mask(SIG_BLOCK, (unsigned)mask);
}

WRAP int sigsetmask(int mask)
{
    return change_mask(SIG_SETMASK, (unsigned)mask);
}

WRAP int siggetmask(void)
{
    return change_mask(SIG_BLOCK, 0);
}

static int suspend_without(uint64_t signals)
{
    sigset_t mask;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    sigdisp_remove_from_set(&mask, signals);
    return sigsuspend(&mask);
}

WRAP int bsd_sigpause(int mask)
{
    sigset_t set = set_of((unsigned)mask);

    return sigsuspend(&set);
}

WRAP int xpg_sigpause(int signo)
{
    if (sigdisp_bit(signo) == 0) {
        errno = EINVAL;
        return -1;
    }
    return suspend_without(sigdisp_bit(signo));
}

WRAP int __sigpause(int signo_or_mask, int is_signo)
{
    return is_signo ? xpg_sigpause(signo_or_mask) : bsd_sigpause(signo_or_mask);
}

/* System V's set of calls --------------------------------------------------------------------- */

static int change_one(int how, int signo)
{
    sigset_t set = set_of(sigdisp_bit(signo));

    return sigprocmask(how, &set, NULL);
}

WRAP int sighold(int signo)
{
    return sigdisp_is_virtual(signo) ? change_one(SIG_BLOCK, signo) : real.sighold(signo);
}

WRAP int sigrelse(int signo)
{
    return sigdisp_is_virtual(signo) ? change_one(SIG_UNBLOCK, signo) : real.sigrelse(signo);
}

WRAP int sigignore(int signo)
{
    return sigdisp_is_virtual(signo) ? (set_handler(signo, SIG_IGN, 0, 0) == SIG_ERR ? -1 : 0)
                                     : real.sigignore(signo);
}

/* sigset(3): SIG_HOLD blocks; anything else sets and unblocks; a blocked signal reads SIG_HOLD. */
static real_handler virtual_sigset(int signo, real_handler handler)
{
    sigset_t mask;
    struct sigaction old;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    bool was_blocked = sigismember(&mask, signo) == 1;

    sigdisp_current(signo, &old);
    if (handler == SIG_HOLD) {
        (void)change_one(SIG_BLOCK, signo);
    } else if (set_handler(signo, handler, 0, 0) == SIG_ERR) {
        return SIG_ERR;
    } else {
        (void)change_one(SIG_UNBLOCK, signo);
    }
    return was_blocked ? SIG_HOLD : old.sa_handler;
}

WRAP real_handler sigset(int signo, real_handler handler)
{
    return sigdisp_is_virtual(signo) ? virtual_sigset(signo, handler) : real.sigset(signo, handler);
}

/* signalfd ------------------------------------------------------------------------------------ */

WRAP int signalfd(int fd, const sigset_t *mask, int flags)
{
    sigset_t room;

    if (life_in_vfork() || !mask) {
        return real.signalfd(fd, mask, flags);
    }
    int result = real.signalfd(fd, signalfds_mask(mask, &room), flags);

    if (result >= 0) {
        signalfds_note(result, mask);
    }
    return result;
}
