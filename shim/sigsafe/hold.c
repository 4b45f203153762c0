/* SPDX-License-Identifier: MIT */
/* The handler of the managed signals, and the release. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "sigsafe/context.h"
#include "sigsafe/demand.h"
#include "sigsafe/direct.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/hold.h"
#include "sigsafe/life.h"
#include "sigsafe/log.h"
#include "sigsafe/real.h"
#include "sigsafe/refuse.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/saving.h"
#include "sigsafe/sigdisp.h"
#include "sigsafe/tell.h"
#include "sigsafe/transfer.h"

#define RETRY_NS 20000000 /* how often the timer looks for a safe point */

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif
#define SIGNAL_THREAD_GROUP 2u /* PIDFD_SIGNAL_THREAD_GROUP, Linux 6.9 */

enum meaning { MEANING_STOP, MEANING_TIMER, MEANING_POKE, MEANING_INSIDE, MEANING_FOREIGN };

enum { HELD_NONE, HELD_WRITING, HELD_VALID }; /* life->held: one thread wins the right to write */

static struct held_signal held;
static struct hold_limits limits;
static uint64_t stop_signals; /* the managed signals that mean a stop: all but SIGPIPE */
static const char cookie;     /* its address marks a signal as the shim's own */

const struct held_signal *hold_current(void)
{
    return atomic_load_explicit(&life->held, memory_order_acquire) == HELD_VALID ? &held : NULL;
}

/* The timer ----------------------------------------------------------------------------------- */

static void timer_set(int64_t first_ns, int64_t every_ns)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = first_ns / 1000000000, .tv_nsec = first_ns % 1000000000},
        .it_interval = {.tv_sec = every_ns / 1000000000, .tv_nsec = every_ns % 1000000000},
    };

    if (life->timer != 0) {
        (void)real.syscall(SYS_timer_settime, life->timer - 1, 0, (long)&when, 0, 0, 0);
    }
}

/* timer_create(3) isn't async-signal-safe; the system call is. Timers aren't inherited by fork. */
static void timer_make(int signo)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signo};

    event.sigev_value.sival_ptr = (void *)&cookie;
    int timer = 0;

    life->timer =
        real.syscall(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&timer, 0, 0, 0) == 0
            ? timer + 1
            : 0;
}

static void timer_watch_deadline(void)
{
    int64_t left = held.at_ns + limits.shutdown_ns - life_now();

    timer_set(left > 0 ? left : 1, RETRY_NS);
}

/* Handing over -------------------------------------------------------------------------------- */

/*
 * One that was sent to a thread (raise, pthread_kill) is that thread's, which runs this: another could be
 * chosen for it otherwise, and a thread takes its own signals before those of the process.
 */
static bool queue_to_thread(siginfo_t *info)
{
    return info->si_code == SI_TKILL && !life_thread.is_coordinator &&
           real.syscall(SYS_rt_tgsigqueueinfo, life->pid,
                        real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), info->si_signo, (long)info, 0,
                        0) == 0;
}

/* Queue a signal to this process; si_code is kept if the kernel lets us. */
static void queue_again(const siginfo_t *original)
{
    siginfo_t info = *original;
    int signo = info.si_signo;

    if (queue_to_thread(&info)) {
        return;
    }
    if (real.syscall(SYS_rt_sigqueueinfo, life->pid, signo, (long)&info, 0, 0, 0) == 0) {
        return;
    }
    int fd = (int)real.syscall(SYS_pidfd_open, real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0),
                               PIDFD_THREAD, 0, 0, 0, 0);
    bool sent = fd >= 0 && real.syscall(SYS_pidfd_send_signal, fd, signo, (long)&info,
                                        SIGNAL_THREAD_GROUP, 0, 0) == 0;

    if (fd >= 0) {
        (void)real.close(fd);
    }
    info.si_code = SI_QUEUE;
    if (!sent && real.syscall(SYS_rt_sigqueueinfo, life->pid, signo, (long)&info, 0, 0, 0)) {
        (void)kill(life->pid, signo);
    }
}

/*
 * Only one signal of a number is pending at a time, so a tick that is would swallow the one to be
 * queued; and a tick of a timer that has been stopped is dropped when its turn comes (Linux 6.13,
 * kernel/time/posix-timers.c, posixtimer_deliver_signal). Context: the signal is blocked here.
 */
static void take_pending(int signo)
{
    static const struct timespec now;
    sigset_t one;

    (void)sigemptyset(&one);
    (void)sigaddset(&one, signo);
    while (real.sigtimedwait(&one, NULL, &now) > 0) {
    }
}

/* Everything virtual becomes real; the signal follows at once. */
static void hand_over(const siginfo_t *info, enum life_release how)
{
    atomic_store_explicit(&life->released, how, memory_order_release);
    timer_set(0, 0);
    saving_stop();
    take_pending(info->si_signo);
    tell_coordinator_to_block();
    sigdisp_make_real(SIGDISP_SIGNALFDS);
    queue_again(info);
}

/* In the program's only thread. Returns true if the signal can be delivered there at once. */
static bool hand_over_here(const siginfo_t *info, sigset_t *mask)
{
    uint64_t believed = atomic_load(&life->blocked);
    bool deliverable = !(believed & sigdisp_bit(info->si_signo));

    atomic_store(&life->masks_virtual, 0);
    sigdisp_add_to_set(mask, believed);
    hand_over(info, deliverable ? LIFE_DELIVERED : LIFE_PENDING);
    return deliverable;
}

/*
 * From another member: a master that stops its worker. What the signal interrupts is interrupted as
 * the program's own flags want it.
 */
static void pass_through(const siginfo_t *info, void *context)
{
    sigset_t *mask = &((ucontext_t *)context)->uc_sigmask;
    struct sigaction action;
    bool delivered = true;

    sigdisp_current(info->si_signo, &action);
    if (atomic_load(&life->masks_virtual)) {
        delivered = hand_over_here(info, mask);
    } else {
        hand_over(info, LIFE_DELIVERED);
    }
    if (delivered && !(action.sa_flags & SA_RESTART) && safepoint_is_a_wait(context)) {
        context_interrupt(context);
    }
}

static void poke_program(void)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = held.signo;
    info.si_code = SI_QUEUE;
    info.si_pid = life->pid;
    info.si_value.sival_ptr = (void *)&cookie;
    sigdisp_prepare_release(held.signo);
    (void)real.syscall(SYS_rt_tgsigqueueinfo, life->pid, life->tid, held.signo, (long)&info, 0, 0);
}

void hold_release(void)
{
    if (!atomic_load(&life->masks_virtual)) {
        hand_over(&held.info, LIFE_DELIVERED);
        return;
    }
    poke_program();
    timer_watch_deadline();
}

void hold_give_up(int signo)
{
    sigset_t one;

    log_error("shutdown timeout: ending the process by signal %d", signo);
    if (life->pid == 1) {
        real._exit(128 + signo);
    }
    sigdisp_default(signo);
    (void)kill(life->pid, signo);
    (void)sigemptyset(&one);
    (void)sigaddset(&one, signo);
    (void)real.pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

/* Holding ------------------------------------------------------------------------------------- */

static void hold_first(const siginfo_t *info)
{
    held.at_ns = life_now();
    held.is_demand = demand_is(info);
    held.signo = info->si_signo;
    held.info = *info;
    if (held.is_demand) { /* what the program gets in the end is any kill() */
        held.info.si_code = SI_USER;
        held.info.si_value.sival_ptr = NULL;
    }
    atomic_store(&life->draining, 1);
    fdtab_shut();
    if (limits.lame_duck_ns == 0 && family_leads()) {
        refuse_all();
        held.refused_ns = life_now();
    }
    timer_make(info->si_signo);
    atomic_store_explicit(&life->held, HELD_VALID, memory_order_release);
    if (atomic_load(&life->started)) {
        timer_watch_deadline();
    } else {
        timer_set(RETRY_NS, RETRY_NS);
    }
    life_post(LIFE_STOP);
}

/* The program's, one of its hooks' or a member's. (A timer's signal has no sender.) */
static bool is_from_inside(const siginfo_t *info)
{
    bool has_sender =
        info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL;

    return has_sender && info->si_pid > 0 &&
           (info->si_pid == life->pid || family_has(info->si_pid));
}

/* Only whoever sends a second one from outside has lost his patience. */
static void hold_stop(const siginfo_t *info)
{
    uint32_t none = HELD_NONE;

    if (atomic_compare_exchange_strong(&life->held, &none, HELD_WRITING)) {
        hold_first(info);
    } else if (none == HELD_VALID && !demand_is(info) && !is_from_inside(info) &&
               life_now() - held.at_ns > HOLD_ECHO_NS) {
        life_post(LIFE_SECOND);
    }
}

/* None can be had, and there is nothing that it could wait for. */
static bool has_no_use_for_thread(void)
{
    return atomic_load(&life->sandboxed) || (safepoint_error() != 0 && !fdtab_has_connections());
}

/* A tick of the timer: has a bound passed? */
static void hold_tick(sigset_t *mask)
{
    int64_t passed = life_now() - held.at_ns;
    bool started = atomic_load(&life->started) != 0;

    if (passed >= limits.shutdown_ns) {
        sigdisp_remove_from_set(mask, sigdisp_bit(held.signo));
        hold_give_up(held.signo);
    } else if (!started && (passed >= limits.drain_ns || has_no_use_for_thread())) {
        log_error("the drain's thread could not be started (%s): signal %d goes to the program now",
                  safepoint_error() ? "no thread to be had" : "no safe point", held.signo);
        (void)hand_over_here(&held.info, mask);
    } else if (started) {
        timer_watch_deadline();
    }
}

/* From the hold on there is a thread to be started, or a deadline to be watched. */
static void wake_coordinator(const void *context)
{
    bool holds = hold_current() && !life_released();
    bool saves = atomic_load(&life->events) & (LIFE_TICK | LIFE_SAVE);

    if (!(holds || saves || atomic_load(&life->told)) || atomic_load(&life->started)) {
        return;
    }
    safepoint_from_handler(context);
    if (holds && atomic_load(&life->started)) {
        timer_watch_deadline();
    } else if (holds) { /* a thread that was there when the hold began may have retired since */
        timer_set(RETRY_NS, RETRY_NS);
    }
}

/*
 * A member's signal that is the program's own business: from another member, or with nothing to be
 * drained. The owner's stop is the family's, whoever sends it.
 */
static bool is_the_programs_own(const siginfo_t *info)
{
    return !family_leads() && (family_is_clean() || family_phase() == FAMILY_RELEASED ||
                               (info->si_code <= 0 && family_has(info->si_pid)));
}

static enum meaning meaning_of(const siginfo_t *info)
{
    bool ours = info->si_value.sival_ptr == (const void *)&cookie;

    if (!atomic_load_explicit(&life->armed, memory_order_acquire) || getpid() != life->pid) {
        return MEANING_FOREIGN;
    }
    if (ours && info->si_code == SI_TIMER) {
        return MEANING_TIMER;
    }
    if (ours && info->si_code == SI_QUEUE) {
        return MEANING_POKE;
    }
    return !demand_is(info) && is_the_programs_own(info) ? MEANING_INSIDE : MEANING_STOP;
}

/*
 * A vfork child, or one of a clone(2) that passed no wrapper: it has our handler but is not the
 * process that armed. Do what the program's disposition says.
 */
static void act_as_program(int signo, siginfo_t *info, void *context)
{
    if (!sigdisp_call_handler(signo, info, context)) {
        sigdisp_default(signo);
        (void)real.syscall(SYS_rt_tgsigqueueinfo, getpid(),
                           real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0), signo, (long)info, 0, 0);
    }
}

/* Another signal of the program's is delivered when this handler returns: the EINTR is its. */
static bool another_is_due(const sigset_t *mask)
{
    sigset_t pending;

    (void)sigpending(&pending);
    return (sigdisp_from_set(&pending) & ~sigdisp_from_set(mask) & ~sigdisp_kept_open()) != 0;
}

void hold_claim(const void *context, int error)
{
    if (!another_is_due(&((const ucontext_t *)context)->uc_sigmask)) {
        life_thread.claims += context_sees_eintr(context);
        life_thread.claimed_errno = error;
        transfer_visit(context);
    }
    wake_coordinator(context);
}

/* After the release only PID 1 still has this handler, in place of the default action. */
static bool stays_for_init(int signo)
{
    struct sigaction action;

    sigdisp_current(signo, &action);
    return life_released() && life->pid == 1 && getpid() == 1 && action.sa_handler == SIG_DFL;
}

void hold_guard_exit(int status, int64_t ns)
{
    sigset_t managed;

    if (life->timer == 0) {
        timer_make(SIGTERM);
    }
    (void)sigemptyset(&managed);
    sigdisp_add_to_set(&managed, atomic_load(&life->managed));
    atomic_store(&life->guarded_exit, ((uint32_t)status & 0xff) + 1);
    (void)real.pthread_sigmask(SIG_UNBLOCK, &managed, NULL);
    timer_set(ns > 0 ? ns : 1, RETRY_NS);
}

void hold_unguard_exit(void)
{
    timer_set(0, 0);
    atomic_store(&life->guarded_exit, 0);
}

static void on_managed(int signo, siginfo_t *info, void *context)
{
    sigset_t *mask = &((ucontext_t *)context)->uc_sigmask;
    int saved = errno;
    bool claim = true;

    if (stays_for_init(signo)) {
        real._exit(128 + signo);
    }
    switch (meaning_of(info)) {
    case MEANING_FOREIGN:
        act_as_program(signo, info, context);
        claim = false;
        break;
    case MEANING_INSIDE:
        pass_through(info, context);
        claim = false;
        break;
    case MEANING_POKE:
        claim = !hand_over_here(&held.info, mask);
        break;
    case MEANING_TIMER:
        if (atomic_load(&life->guarded_exit) != 0) {
            real._exit((int)atomic_load(&life->guarded_exit) - 1);
        }
        hold_tick(mask);
        claim = !life_released();
        break;
    case MEANING_STOP:
        hold_stop(info);
        break;
    }
    if (claim) {
        hold_claim(context, saved);
    }
    if (life_thread.is_coordinator && life_released()) {
        (void)sigfillset(mask); /* from now on they are the program's alone */
    }
    errno = saved;
}

bool hold_taken(const siginfo_t *info)
{
    enum meaning meaning = meaning_of(info);
    sigset_t all, mask;

    if (life_released() || !(stop_signals & sigdisp_bit(info->si_signo)) ||
        meaning == MEANING_FOREIGN || meaning == MEANING_INSIDE) {
        return true;
    }
    if (meaning == MEANING_STOP) {
        hold_stop(info);
        (void)safepoint_start();
        return false;
    }
    /* As in a handler: what is handed over may not arrive before the mask is the program's. */
    (void)sigfillset(&all);
    (void)real.pthread_sigmask(SIG_SETMASK, &all, &mask);
    if (meaning == MEANING_POKE) {
        (void)hand_over_here(&held.info, &mask);
    } else {
        hold_tick(&mask);
    }
    (void)real.pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return false;
}

void hold_install(uint64_t signals, const struct hold_limits *wanted)
{
    struct sigaction current;

    limits = *wanted;
    stop_signals = signals;
    atomic_store(&life->held, HELD_NONE);
    life->timer = 0;
    for (int signo = 1; signo <= 64; signo++) {
        if (!(signals & sigdisp_bit(signo))) {
            continue;
        }
        if (real.sigaction(signo, NULL, &current) == 0 && sigdisp_manage(signo, on_managed) != 0) {
            log_error("signal %d can't be held: it ends the program as it would without fluxshim",
                      signo);
        }
    }
}

static void on_sigpipe(int signo, siginfo_t *info, void *context)
{
    if (meaning_of(info) == MEANING_FOREIGN) {
        act_as_program(signo, info, context);
    }
}

void hold_sigpipe(void)
{
    struct sigaction current;

    if (real.sigaction(SIGPIPE, NULL, &current) == 0 && current.sa_handler == SIG_DFL) {
        (void)sigdisp_manage(SIGPIPE, on_sigpipe);
    }
}

void hold_abandon(void)
{
    bool holds = hold_current() && !life_released();
    sigset_t all, mask;

    log_info("signals are no longer held");
    (void)sigfillset(&all);
    (void)real.pthread_sigmask(SIG_SETMASK, &all, &mask);
    if (atomic_exchange(&life->masks_virtual, 0)) {
        sigdisp_add_to_set(&mask, atomic_load(&life->blocked));
    }
    if (holds) {
        hand_over(&held.info, LIFE_DELIVERED);
    } else if (!life_released()) {
        saving_stop();
        tell_coordinator_to_block();
        sigdisp_make_real(SIGDISP_SIGNALFDS);
    }
    atomic_store(&life->armed, 0);
    fdtab_shut();
    (void)real.pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

FORK_PATH void hold_go_on_in_child(void)
{
    if (!atomic_load(&life->masks_virtual)) {
        sigdisp_take_mask(); /* it was real in a threaded parent */
    }
    life->pid = life->tid = (pid_t)direct_call(SYS_getpid, 0, 0, 0);
    life_thread.owns_masks = 1;
    atomic_store_explicit(&life->armed, 1, memory_order_release);
}

void hold_forget_in_child(void)
{
    sigdisp_masks_become_real();
    sigdisp_make_real(SIGDISP_NO_SIGNALFDS);
}
