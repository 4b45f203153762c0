/* SPDX-License-Identifier: MIT */
/* System calls whose arguments differ from the libc function of that name: 8-byte signal sets. */
/* Context: as the wrappers that they lead to. */

/*
 * The kernel's sigset is 64 bits, libc's 1024: a set that came through syscall(2) is copied before
 * a wrapper sees it, and never read or written beyond its 8 bytes (rt_sigprocmask(2), "C library/
 * kernel differences"). Each function returns what syscall(2) would: -1 and errno on failure.
 */
#ifndef FLUXSHIM_WRAP_KERNEL_ABI_H
#define FLUXSHIM_WRAP_KERNEL_ABI_H

long kernel_rt_sigaction(long signo, long action, long old, long size);
long kernel_rt_sigprocmask(long how, long set, long old, long size);
long kernel_rt_sigtimedwait(long set, long info, long timeout, long size);
long kernel_rt_sigsuspend(long set, long size);
long kernel_signalfd(long fd, long set, long size, long flags);
long kernel_ppoll(long fds, long count, long timeout, long set, long size);
long kernel_pselect(long count, long r, long w, long e, long timeout, long set_and_size);
long kernel_epoll_pwait(long epfd, long events, long most, long ms, long set, long size);
long kernel_epoll_pwait2(long epfd, long events, long most, long timeout, long set, long size);
long kernel_clock_nanosleep(long clock, long flags, long time, long left);
long kernel_waitid(long type, long id, long info, long options, long usage);
long kernel_futex(long word, long op, long value, long timeout, long word2, long value3);

#endif
