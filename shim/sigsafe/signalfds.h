/* SPDX-License-Identifier: MIT */
/* The program's signalfds, whose masks the shim strips of the managed signals until the release. */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A reader of a signalfd can't be asked to hold what it has read, so the kernel's mask of each lacks the
 * managed signals (and the family's) while the process is armed. What the program asked for is noted here
 * by number, and set again at the release.
 *
 * A number says little: the program may have closed it or copied another over it since, and a forked child
 * shares the description with its parent. So each is looked at first: only one whose mask is still what
 * the shim has made of it (/proc/self/fdinfo, proc_pid_fdinfo(5)) is changed. Where that can't be read, all are.
 */
#ifndef FLUXSHIM_SIGSAFE_SIGNALFDS_H
#define FLUXSHIM_SIGSAFE_SIGNALFDS_H

#include <signal.h>

/* What the kernel may see of a mask; then, when the descriptor is there, what the program asked for. */
const sigset_t *signalfds_mask(const sigset_t *mask, sigset_t *room);
void signalfds_note(int fd, const sigset_t *mask);

/* While arming: those that were made before. And after an exec that has failed. */
void signalfds_strip(void);

/* At the release, and before an exec. */
void signalfds_make_real(void);

#endif
