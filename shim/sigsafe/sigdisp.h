/* SPDX-License-Identifier: MIT */
/* Virtual dispositions and masks of the managed signals. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * While a process is armed, the kernel's disposition of each managed signal is the shim's
 * handler. What the program does to it is recorded here and answered from here. At the release
 * the record becomes real (sigdisp_make_real) and the signal is queued once more.
 *
 * What is emulated: sa_handler/sa_sigaction, sa_mask and every sa_flags bit as read back; the
 * kernel applies them all once they are real. SIG_IGN is real at once: an ignored signal stays
 * ignored. While held, the shim's handler runs with SA_RESTART and the program's own SA_ONSTACK.
 * What is not: a mask change that a handler of the program makes and that its return would undo
 * (siglongjmp likewise) lasts, for managed signals only, in a single-threaded program.
 *
 * Masks. In a single-threaded program nobody but the program's thread can take the signal, so
 * managed signals stay open in the kernel while `life->blocked` says what the program believes.
 * With the first pthread_create that ends (sigdisp_masks_become_real): the coordinator takes over.
 */
#ifndef FLUXSHIM_SIGSAFE_SIGDISP_H
#define FLUXSHIM_SIGSAFE_SIGDISP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "sigsafe/life.h"

static inline uint64_t sigdisp_bit(int signo)
{
    return signo >= 1 && signo <= 64 ? UINT64_C(1) << (signo - 1) : 0;
}

static inline bool sigdisp_is_managed(int signo)
{
    return (atomic_load_explicit(&life->managed, memory_order_relaxed) & sigdisp_bit(signo)) != 0;
}

/* The family's own realtime signal (tell.h), 0: none. Virtual in every member, armed or not. */
extern _Atomic int sigdisp_tell;

/* A signal of a fault, with the shim's handler in front of the program's (crash.h). */
static inline bool sigdisp_is_guarded(int signo)
{
    return (atomic_load_explicit(&life->guarded, memory_order_relaxed) & sigdisp_bit(signo)) != 0 &&
           !life_in_vfork();
}

/* The shim stands between the program and this signal. */
static inline bool sigdisp_is_virtual(int signo)
{
    int tell = atomic_load_explicit(&sigdisp_tell, memory_order_relaxed);

    return (signo == tell && tell != 0 && !life_in_vfork()) || sigdisp_is_guarded(signo) ||
           (life_armed() && !life_released() && sigdisp_is_managed(signo));
}

/* Signals that no mask of the program's closes in the kernel while masks are virtual. */
static inline uint64_t sigdisp_kept_open(void)
{
    return atomic_load_explicit(&life->managed, memory_order_relaxed) |
           sigdisp_bit(atomic_load_explicit(&sigdisp_tell, memory_order_relaxed));
}

/* Between sigset_t and a bit set of the 64 kernel signals. */
uint64_t sigdisp_from_set(const sigset_t *set);
void sigdisp_add_to_set(sigset_t *set, uint64_t bits);
void sigdisp_remove_from_set(sigset_t *set, uint64_t bits);

/* Put `handler` in front of the program's disposition of signo. 0 or -errno. */
int sigdisp_manage(int signo, void (*handler)(int, siginfo_t *, void *));

/* The same for the family's own signal, which is never released. */
int sigdisp_manage_tell(int signo, void (*handler)(int, siginfo_t *, void *));

/*
 * Put `handler` in front of signo with the program's own mask and flags (and SA_ONSTACK: a fault can
 * be an overflow of the stack), or take it away again.
 */
void sigdisp_guard(int signo, void (*handler)(int, siginfo_t *, void *));
void sigdisp_unguard(int signo);

/* The program's one-shot handler is about to be called. */
void sigdisp_spend(int signo);

/* sigaction() on a managed signal; a hook may only look. Both pointers may be NULL. Returns 0, or -errno. */
int sigdisp_exchange(int signo, const struct sigaction *action, struct sigaction *ret_old);

/* What the program believes the disposition of signo to be. */
void sigdisp_current(int signo, struct sigaction *ret_action);

/* Do what the program's handler for signo does, or nothing for SIG_IGN. False: SIG_DFL. */
bool sigdisp_call_handler(int signo, siginfo_t *info, void *context);

/* For signal(): whether siginterrupt(signo, 1) was called; then no SA_RESTART. */
void sigdisp_set_interrupt(int signo, bool on);
bool sigdisp_interrupts(int signo);

/* pthread_sigmask() of an armed, single-threaded program. Returns 0 or an error number. */
int sigdisp_mask(int how, const sigset_t *set, sigset_t *ret_old);

/* A mask for sigsuspend, ppoll and so on: managed signals are open in it until the release. */
const sigset_t *sigdisp_open_mask(const sigset_t *mask, sigset_t *room);

/*
 * A mask that becomes real: the program's, but for the family's signal, which stays open; on a hook's
 * thread also the signals of its faults, which would end the process if they were blocked.
 */
const sigset_t *sigdisp_member_mask(int how, const sigset_t *set, sigset_t *room);

/*
 * Masks become virtual: what the calling thread, the program's only one, blocks for real is what it
 * believes blocked, and is open in the kernel from here on.
 */
void sigdisp_take_mask(void);

/* In a forked child: the family's signal is open, whatever the parent's thread had blocked. */
void sigdisp_open_tell(void);

/* From now on masks are real. Block in the calling thread what it believes blocked. */
void sigdisp_masks_become_real(void);

/*
 * The shim's handler for signo with the program's own SA_RESTART (or with SA_RESTART if the
 * signal won't be deliverable): a poke then interrupts what the signal itself would interrupt.
 */
void sigdisp_prepare_release(int signo);

/*
 * Dispositions become the program's own, and signalfds with them; but not in a forked child, which
 * shares those with its parent: a signalfd is one open file description.
 */
enum sigdisp_signalfds { SIGDISP_SIGNALFDS, SIGDISP_NO_SIGNALFDS };
void sigdisp_make_real(enum sigdisp_signalfds which);

/* The kernel's default action for signo, now, for this whole process. */
void sigdisp_default(int signo);

#endif
