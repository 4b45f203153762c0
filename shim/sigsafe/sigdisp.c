/* SPDX-License-Identifier: MIT */
/* What the program believes of the managed signals, and how that becomes real. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "sigsafe/real.h"
#include "sigsafe/sigdisp.h"
#include "sigsafe/signalfds.h"

#define SIGNALS 64
#define SLOTS   8 /* writers of one signal at one instant before a slot is reused */

/*
 * A disposition is some 150 bytes, so it can't be one atomic: a writer fills the next of a few
 * slots and then publishes its index. Any thread and any handler may write or read.
 */
struct disposition {
    struct sigaction slot[SLOTS];
    _Atomic uint32_t next;
    _Atomic uint32_t current;
    _Atomic uint32_t interrupt;
};

_Atomic int sigdisp_tell;

static struct disposition dispositions[SIGNALS];
static void (*_Atomic handlers[SIGNALS])(int, siginfo_t *, void *);
static struct sigaction as_installed; /* flags and restorer as libc adds them; set while arming */

uint64_t sigdisp_from_set(const sigset_t *set)
{
    uint64_t bits;

    memcpy(&bits, set, sizeof(bits));
    return bits;
}

static void store_set(sigset_t *set, uint64_t bits)
{
    memcpy(set, &bits, sizeof(bits));
}

void sigdisp_add_to_set(sigset_t *set, uint64_t bits)
{
    store_set(set, sigdisp_from_set(set) | bits);
}

void sigdisp_remove_from_set(sigset_t *set, uint64_t bits)
{
    store_set(set, sigdisp_from_set(set) & ~bits);
}

void sigdisp_current(int signo, struct sigaction *ret_action)
{
    struct disposition *d = &dispositions[signo - 1];

    *ret_action = d->slot[atomic_load_explicit(&d->current, memory_order_acquire) % SLOTS];
}

bool sigdisp_call_handler(int signo, siginfo_t *info, void *context)
{
    struct sigaction action;

    sigdisp_current(signo, &action);
    if (action.sa_handler == SIG_DFL) {
        return false;
    }
    if (action.sa_flags & SA_SIGINFO) {
        action.sa_sigaction(signo, info, context);
    } else if (action.sa_handler != SIG_IGN) {
        action.sa_handler(signo);
    }
    return true;
}

static uint32_t publish(int signo, const struct sigaction *action)
{
    struct disposition *d = &dispositions[signo - 1];
    uint32_t mine = atomic_fetch_add(&d->next, 1) + 1;

    d->slot[mine % SLOTS] = *action;
    return atomic_exchange(&d->current, mine);
}

/* The shim's handler as the kernel is to have it, for a program that asked for `wanted`. */
static int install(int signo, const struct sigaction *wanted, int restart)
{
    struct sigaction hold = {
        .sa_sigaction = atomic_load(&handlers[signo - 1]),
        .sa_flags = SA_SIGINFO | restart | (wanted->sa_flags & SA_ONSTACK),
    };

    if (wanted->sa_handler == SIG_IGN) {
        hold.sa_handler = SIG_IGN;
        hold.sa_flags = 0;
    }
    (void)sigfillset(&hold.sa_mask);
    return real.sigaction(signo, &hold, NULL) == 0 ? 0 : -errno;
}

/* As `install`, for a signal of a fault: it means what it meant, but for a hook's thread. */
static void install_guard(int signo, const struct sigaction *wanted)
{
    int kept = wanted->sa_flags & (SA_RESTART | SA_NODEFER);
    struct sigaction guard = {
        .sa_sigaction = atomic_load(&handlers[signo - 1]),
        .sa_flags = SA_SIGINFO | SA_ONSTACK | (wanted->sa_handler == SIG_IGN ? SA_RESTART : kept),
        .sa_mask = wanted->sa_mask,
    };

    (void)real.sigaction(signo, &guard, NULL);
}

void sigdisp_guard(int signo, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction old;

    if (real.sigaction(signo, NULL, &old) != 0) {
        return;
    }
    (void)publish(signo, &old);
    atomic_store(&handlers[signo - 1], handler);
    atomic_fetch_or(&life->guarded, sigdisp_bit(signo));
    install_guard(signo, &old);
    if (as_installed.sa_flags == 0) {
        (void)real.sigaction(signo, NULL, &as_installed);
    }
}

static int put_in_front(int signo, void (*handler)(int, siginfo_t *, void *))
{
    struct sigaction old;

    if (real.sigaction(signo, NULL, &old) != 0) {
        return -errno;
    }
    (void)publish(signo, &old);
    atomic_store(&handlers[signo - 1], handler);
    int error = install(signo, &old, SA_RESTART);

    if (error != 0) {
        return error;
    }
    (void)real.sigaction(signo, NULL, &as_installed);
    return 0;
}

int sigdisp_manage(int signo, void (*handler)(int, siginfo_t *, void *))
{
    int error = put_in_front(signo, handler);

    if (error == 0) {
        atomic_fetch_or(&life->managed, sigdisp_bit(signo));
    }
    return error;
}

int sigdisp_manage_tell(int signo, void (*handler)(int, siginfo_t *, void *))
{
    int error = put_in_front(signo, handler);

    atomic_store(&sigdisp_tell, error == 0 ? signo : 0);
    return error;
}

#ifndef SA_EXPOSE_TAGBITS
#define SA_EXPOSE_TAGBITS 0x800 /* Linux 5.11 */
#endif

/*
 * sa_flags as they read back: the kernel drops what it doesn't know (a program may ask it that way,
 * sigaction(2), SA_UNSUPPORTED), and libc adds its own.
 */
static int flags_read_back(int flags)
{
    int known = SA_SIGINFO | SA_RESTART | SA_ONSTACK | SA_NODEFER | (int)SA_RESETHAND |
                SA_NOCLDSTOP | SA_NOCLDWAIT | SA_EXPOSE_TAGBITS;

    return (flags & known) | (as_installed.sa_flags & ~known);
}

/*
 * A disposition that the program never touched is all zero in the kernel, while libc's sigaction
 * would leave its SA_RESTORER in the flags.
 */
static void set_real(int signo, const struct sigaction *action)
{
    static const uint64_t untouched[8]; /* struct kernel_sigaction is no larger on any machine */

    if (action->sa_handler == SIG_DFL && action->sa_flags == 0) {
        (void)real.syscall(SYS_rt_sigaction, signo, (long)untouched, 0, sizeof(uint64_t), 0, 0);
    } else {
        (void)real.sigaction(signo, action, NULL);
    }
}

int sigdisp_exchange(int signo, const struct sigaction *action, struct sigaction *ret_old)
{
    if (!action || life_thread.hook) { /* a hook's idea of a signal is none of the program's */
        if (ret_old) {
            sigdisp_current(signo, ret_old);
        }
        return 0;
    }
    struct sigaction wanted = *action;

    wanted.sa_flags = flags_read_back(wanted.sa_flags);
    wanted.sa_restorer = as_installed.sa_restorer;
    sigdisp_remove_from_set(&wanted.sa_mask, sigdisp_bit(SIGKILL) | sigdisp_bit(SIGSTOP));
    uint32_t before = publish(signo, &wanted);

    if (ret_old) {
        *ret_old = dispositions[signo - 1].slot[before % SLOTS];
    }
    if (sigdisp_is_guarded(signo)) {
        install_guard(signo, &wanted);
        if (!sigdisp_is_guarded(signo)) {
            set_real(signo, &wanted); /* another thread has taken the guard away meanwhile */
        }
        return 0;
    }
    int error = install(signo, &wanted, SA_RESTART);

    if (life_released()) {
        set_real(signo, &wanted); /* another thread has released meanwhile */
    }
    return error;
}

void sigdisp_unguard(int signo)
{
    struct sigaction action;

    sigdisp_current(signo, &action);
    atomic_fetch_and(&life->guarded, ~sigdisp_bit(signo));
    set_real(signo, &action);
}

void sigdisp_spend(int signo)
{
    struct sigaction action;

    sigdisp_current(signo, &action);
    if (action.sa_flags & (int)SA_RESETHAND) {
        action.sa_handler = SIG_DFL;
        (void)publish(signo, &action);
    }
}

void sigdisp_set_interrupt(int signo, bool on)
{
    atomic_store(&dispositions[signo - 1].interrupt, on);
}

bool sigdisp_interrupts(int signo)
{
    return atomic_load(&dispositions[signo - 1].interrupt) != 0;
}

static uint64_t changed_mask(uint64_t blocked, int how, uint64_t bits)
{
    return how == SIG_BLOCK ? blocked | bits : how == SIG_UNBLOCK ? blocked & ~bits : bits;
}

/*
 * What is believed changes before the kernel's mask does: a handler that runs as soon as its signal is open
 * may ask. And once more behind it, should that handler have changed it.
 */
static int change_both(int how, const sigset_t *set, uint64_t believed, sigset_t *ret_old)
{
    uint64_t managed = sigdisp_kept_open();
    uint64_t wanted = changed_mask(believed, how, sigdisp_from_set(set)) & managed;
    sigset_t open = *set;

    sigdisp_remove_from_set(&open, how == SIG_UNBLOCK ? 0 : managed);
    atomic_store(&life->blocked, wanted);
    int error = real.pthread_sigmask(how, &open, ret_old);

    atomic_store(&life->blocked, error == 0 ? wanted : believed);
    return error;
}

int sigdisp_mask(int how, const sigset_t *set, sigset_t *ret_old)
{
    uint64_t believed = atomic_load(&life->blocked);
    sigset_t old;
    int error = set ? change_both(how, set, believed, &old) : real.pthread_sigmask(how, NULL, &old);

    if (error != 0) {
        return error;
    }
    if (ret_old) {
        *ret_old = old;
        sigdisp_add_to_set(ret_old, believed);
    }
    return 0;
}

const sigset_t *sigdisp_open_mask(const sigset_t *mask, sigset_t *room)
{
    if (!mask || !life_thread.owns_masks || !life_armed() || !atomic_load(&life->masks_virtual)) {
        return mask;
    }
    *room = *mask;
    sigdisp_remove_from_set(room, sigdisp_kept_open());
    return room;
}

const sigset_t *sigdisp_member_mask(int how, const sigset_t *set, sigset_t *room)
{
    uint64_t open = sigdisp_bit(atomic_load_explicit(&sigdisp_tell, memory_order_relaxed)) |
                    (life_thread.hook ? atomic_load(&life->guarded) : 0);

    if (!set || how == SIG_UNBLOCK || open == 0 || life_in_vfork()) {
        return set;
    }
    *room = *set;
    sigdisp_remove_from_set(room, open);
    return room;
}

static void unblock(uint64_t bits)
{
    sigset_t open;

    (void)sigemptyset(&open);
    sigdisp_add_to_set(&open, bits);
    (void)real.pthread_sigmask(SIG_UNBLOCK, &open, NULL);
}

void sigdisp_take_mask(void)
{
    uint64_t ours = sigdisp_kept_open();
    sigset_t mask;

    (void)real.pthread_sigmask(SIG_BLOCK, NULL, &mask);
    atomic_store(&life->blocked, sigdisp_from_set(&mask) & ours);
    atomic_store(&life->masks_virtual, 1);
    life_thread.owns_masks = 1;
    unblock(ours);
}

void sigdisp_open_tell(void)
{
    int tell = atomic_load(&sigdisp_tell);

    if (tell != 0) {
        unblock(sigdisp_bit(tell));
    }
}

void sigdisp_masks_become_real(void)
{
    uint64_t believed = atomic_load(&life->blocked) & ~sigdisp_bit(atomic_load(&sigdisp_tell));
    sigset_t block;

    if (atomic_exchange(&life->masks_virtual, 0) && believed) {
        (void)sigemptyset(&block);
        sigdisp_add_to_set(&block, believed);
        (void)real.pthread_sigmask(SIG_BLOCK, &block, NULL);
    }
}

/* The release --------------------------------------------------------------------------------- */

void sigdisp_prepare_release(int signo)
{
    struct sigaction current;
    bool deliverable = !(atomic_load(&life->blocked) & sigdisp_bit(signo));

    sigdisp_current(signo, &current);
    (void)install(signo, &current, deliverable ? current.sa_flags & SA_RESTART : SA_RESTART);
}

/*
 * The kernel drops a default action for PID 1, and at once if its main thread has the signal open
 * (kernel/signal.c, sig_ignored): there the shim's handler stays and stands for it.
 */
static void make_one_real(int signo, const struct sigaction *action)
{
    if (life->pid != 1 || action->sa_handler != SIG_DFL || signo == SIGPIPE) {
        set_real(signo, action);
    }
}

void sigdisp_make_real(enum sigdisp_signalfds which)
{
    uint64_t managed = atomic_load(&life->managed);
    struct sigaction current;

    for (int signo = 1; signo <= SIGNALS; signo++) {
        if (managed & sigdisp_bit(signo)) {
            sigdisp_current(signo, &current);
            make_one_real(signo, &current);
        }
    }
    if (which == SIGDISP_SIGNALFDS) {
        signalfds_make_real();
    }
}

void sigdisp_default(int signo)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    (void)real.sigaction(signo, &action, NULL);
}
