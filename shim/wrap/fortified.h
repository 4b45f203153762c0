/* SPDX-License-Identifier: MIT */
/* Names of libc's that no public header declares: fortified calls, and older ABIs. */
/* Context: as the calls that they stand for. */
#ifndef FLUXSHIM_WRAP_FORTIFIED_H
#define FLUXSHIM_WRAP_FORTIFIED_H

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "sigsafe/real.h"

ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *bytes, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t size, size_t room, int flags,
                       struct sockaddr *from, socklen_t *from_size);
int __poll_chk(struct pollfd *fds, nfds_t count, int ms, size_t room);
int __ppoll_chk(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                const sigset_t *mask, size_t room);
void __chk_fail(void) __attribute__((noreturn));

real_handler bsd_signal(int signo, real_handler handler);
real_handler __sysv_signal(int signo, real_handler handler);

/* The symbol `sigpause` takes a BSD mask; <signal.h> calls XSI's `__xpg_sigpause` by that name. */
int bsd_sigpause(int mask) __asm__("sigpause");
int xpg_sigpause(int signo) __asm__("__xpg_sigpause");
int __sigpause(int signo_or_mask, int is_signo);

#endif
