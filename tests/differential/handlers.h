/* SPDX-License-Identifier: MIT */
/* The signals that steps use, the handlers for them, and the record of their runs. */
/* Context: the program that is compared; the handlers are AS-Safe. */
#ifndef DIFFERENTIAL_HANDLERS_H
#define DIFFERENTIAL_HANDLERS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* One of the signals that steps use: never SIGALRM (guard.h), nor those of a fault or a stop. */
int handlers_signal(uint32_t random);

/* One or more of them as a set, now and then empty or with all signals but SIGALRM. */
sigset_t handlers_set(uint32_t random);

/* 0 default, 1 ignored, 2 and 3 handlers without and with siginfo, 9 anything else. */
typedef void (*handlers_function)(int);
handlers_function handlers_choose(uint32_t random);
int handlers_name(handlers_function handler);

/* The 64 signals of the kernel as bits. */
uint64_t handlers_bits(const sigset_t *set);

/* What of a siginfo is the same in both runs. */
void handlers_record_info(const siginfo_t *info);

/* True if this signal can't end the process now: it is handled, ignored or blocked. */
bool handlers_is_safe(int signo);

/* Record the runs since the last time, in their order. */
void handlers_flush(void);

#endif
