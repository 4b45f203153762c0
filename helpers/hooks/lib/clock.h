/* SPDX-License-Identifier: MIT */
/* Deadlines in milliseconds of CLOCK_MONOTONIC, for poll(2). */
/* Context: AS-Safe, MT-Safe. */
#ifndef FLUXSHIM_HOOKS_CLOCK_H
#define FLUXSHIM_HOOKS_CLOCK_H

#include <stdint.h>

/* The moment that is so far ahead. */
int64_t clock_after(int64_t ms);

/* What is left until then, 0 once it is past: poll's timeout. */
int clock_left(int64_t deadline);

/* poll(2) on one descriptor, again after EINTR: 0, or -ETIMEDOUT, or another -errno. */
int clock_poll(int fd, short events, int64_t deadline);

#endif
