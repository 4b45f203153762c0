/* SPDX-License-Identifier: MIT */
/* The things that a program sees differently under the shim because it is meant to: never done here. */
/* Context: the program that is compared. */

/*
 * The table of allowances, each as narrow as its reason:
 *
 *   a managed signal to the process that has armed      it is what the shim is there for: a stop begins,
 *   (or may have: allow_arming), by itself              and the listeners refuse
 *   a managed signal that is pending when a process     the same, at that moment
 *   arms
 *   the realtime signal that is the family's, sent by   its handler is the shim's: the default action never
 *   a process that has armed                            happens, no mask holds it (tell.h)
 *   that signal in the mask of a process                no mask closes it: that the shim seems to hold it
 *                                                       ends with the virtual masks
 *   managed signals and that one in the mask that a     shim/README.md, Limits: a handler that interrupts a
 *   handler sees which interrupts a wait with a mask    wait with a mask of its own sees the mask of before
 *   a managed signal that is ignored and blocked, sent  shim/README.md, Limits: it is dropped, where bare it
 *   by a member of an armed process's family            stays pending
 *   SA_RESTORER in what sigaction returns               libc sets it, no program asks for it; the shim's record
 *                                                       has it after every change, the kernel's not after one
 *                                                       by rt_sigaction(2), and has it after system(3)
 *
 * A forked child of an armed process may send itself everything, until it arms: from inside of a family a
 * managed signal is the program's own business. What it execs is a process of its own again.
 */
#ifndef DIFFERENTIAL_ALLOW_H
#define DIFFERENTIAL_ALLOW_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define ALLOW_LIBC_FLAGS 0x04000000 /* SA_RESTORER of asm/signal.h */

/* A call that may arm follows: take what is pending of the managed signals, and remember. */
void allow_arming(void);

bool allow_is_armed(void);

/* At the start of a forked child; and of a program that an armed process has exec'd. */
void allow_in_child(void);
void allow_after_exec(void);

/* What of the process's mask is compared. */
uint64_t allow_blocked(uint64_t mask);

/* This step waits with a mask; and what of a handler's mask is compared. */
void allow_wait_with_mask(bool waits);
uint64_t allow_mask(uint64_t mask);

/* `signo`, or SIGUSR1 where that may not be sent to this process by itself. */
int allow_signal(int signo);

#endif
