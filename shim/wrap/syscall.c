/* SPDX-License-Identifier: MIT */
/* syscall(2): the same numbers go through the same wrappers (libuv closes that way). */
/* Context: AS-Safe where the call is, MT-Safe. */
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sigsafe/family.h"
#include "sigsafe/safepoint.h"
#include "wrap/kernel_abi.h"
#include "wrap/wrap.h"

/* One row a system call: its number, and the wrapper with its arguments cast. */
#define DESCRIPTOR_ROWS(R)                                                                         \
    R(SYS_accept, accept((int)a, (void *)b, (void *)c))                                            \
    R(SYS_accept4, accept4((int)a, (void *)b, (void *)c, (int)d))                                  \
    R(SYS_listen, listen((int)a, (int)b))                                                          \
    R(SYS_close, close((int)a))                                                                    \
    R(SYS_shutdown, shutdown((int)a, (int)b))                                                      \
    R(SYS_dup, dup((int)a))                                                                        \
    R(SYS_dup3, dup3((int)a, (int)b, (int)c))                                                      \
    R(SYS_fcntl, fcntl((int)a, (int)b, c))                                                         \
    R(SYS_close_range, close_range((unsigned)a, (unsigned)b, (int)c))

#define IO_ROWS(R)                                                                                 \
    R(SYS_read, read((int)a, (void *)b, (size_t)c))                                                \
    R(SYS_readv, readv((int)a, (void *)b, (int)c))                                                 \
    R(SYS_recvfrom, recvfrom((int)a, (void *)b, (size_t)c, (int)d, (void *)e, (void *)f))          \
    R(SYS_recvmsg, recvmsg((int)a, (void *)b, (int)c))                                             \
    R(SYS_recvmmsg, recvmmsg((int)a, (void *)b, (unsigned)c, (int)d, (void *)e))                   \
    R(SYS_write, write((int)a, (void *)b, (size_t)c))                                              \
    R(SYS_writev, writev((int)a, (void *)b, (int)c))                                               \
    R(SYS_sendto, sendto((int)a, (void *)b, (size_t)c, (int)d, (void *)e, (socklen_t)f))           \
    R(SYS_sendmsg, sendmsg((int)a, (void *)b, (int)c))                                             \
    R(SYS_sendmmsg, sendmmsg((int)a, (void *)b, (unsigned)c, (int)d))                              \
    R(SYS_sendfile, sendfile((int)a, (int)b, (void *)c, (size_t)d))                                \
    R(SYS_splice, splice((int)a, (void *)b, (int)c, (void *)d, (size_t)e, (unsigned)f))

#define WAIT_ROWS(R)                                                                               \
    R(SYS_epoll_ctl, epoll_ctl((int)a, (int)b, (int)c, (void *)d))                                 \
    R(SYS_epoll_pwait, kernel_epoll_pwait(a, b, c, d, e, f))                                       \
    R(SYS_epoll_pwait2, kernel_epoll_pwait2(a, b, c, d, e, f))                                     \
    R(SYS_ppoll, kernel_ppoll(a, b, c, d, e))                                                      \
    R(SYS_pselect6, kernel_pselect(a, b, c, d, e, f))                                              \
    R(SYS_nanosleep, nanosleep((void *)a, (void *)b))                                              \
    R(SYS_clock_nanosleep, kernel_clock_nanosleep(a, b, c, d))                                     \
    R(SYS_futex, kernel_futex(a, b, c, d, e, f))                                                   \
    R(SYS_wait4, wait4((pid_t)a, (void *)b, (int)c, (void *)d))                                    \
    R(SYS_waitid, kernel_waitid(a, b, c, d, e))

#define SIGNAL_ROWS(R)                                                                             \
    R(SYS_rt_sigaction, kernel_rt_sigaction(a, b, c, d))                                           \
    R(SYS_rt_sigprocmask, kernel_rt_sigprocmask(a, b, c, d))                                       \
    R(SYS_rt_sigtimedwait, kernel_rt_sigtimedwait(a, b, c, d))                                     \
    R(SYS_rt_sigsuspend, kernel_rt_sigsuspend(a, b))                                               \
    R(SYS_signalfd4, kernel_signalfd(a, b, c, d))

#define PROCESS_ROWS(R)                                                                            \
    R(SYS_unshare, unshare((int)a))                                                                \
    R(SYS_setns, setns((int)a, (int)b))                                                            \
    R(SYS_prctl, prctl((int)a, b, c, d, e))                                                        \
    R(SYS_exit_group, (_exit((int)a), 0))

/* Names that newer architectures don't have. */
#ifdef SYS_poll
#define OLD_ROWS(R)                                                                                \
    R(SYS_dup2, dup2((int)a, (int)b))                                                              \
    R(SYS_pause, pause())                                                                          \
    R(SYS_signalfd, kernel_signalfd(a, b, c, 0))                                                   \
    R(SYS_poll, poll((void *)a, (nfds_t)b, (int)c))                                                \
    R(SYS_select, select((int)a, (void *)b, (void *)c, (void *)d, (void *)e))                      \
    R(SYS_epoll_wait, epoll_wait((int)a, (void *)b, (int)c, (int)d))
#else
#define OLD_ROWS(R)
#endif

/* A fork or clone by number: only a single-threaded program may do it while we have a thread. */
static bool makes_process(long number, long flags, long stack)
{
#ifdef SYS_fork
    if (number == SYS_fork) {
        return true;
    }
#endif
    return number == SYS_clone && !(flags & (CLONE_THREAD | CLONE_VM)) && stack == 0;
}

static long alone(long number, long a, long b, long c, long d, long e, long f)
{
    safepoint_pause();
    life_gate.before_fork();
    long result = real.syscall(number, a, b, c, d, e, f);
    int saved = errno;

    if (result == 0) {
        life_gate.in_child();
    } else {
        life_gate.in_parent();
        family_after_fork((pid_t)result);
        safepoint_resume();
    }
    errno = saved;
    return result;
}

WRAP long syscall(long number, ...)
{
    va_list args;

    va_start(args, number);
    long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long);
    long d = va_arg(args, long), e = va_arg(args, long), f = va_arg(args, long);

    va_end(args);
#define R(name, call)                                                                              \
    case name:                                                                                     \
        return call;
    switch (number) {
        DESCRIPTOR_ROWS(R)
        IO_ROWS(R)
        WAIT_ROWS(R)
        SIGNAL_ROWS(R)
        OLD_ROWS(R)
        PROCESS_ROWS(R)
    case SYS_seccomp:
        if (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER) {
            (void)prctl(PR_SET_SECCOMP, -1L, 0L, 0L, 0L); /* fails; the wrapper takes note */
        }
        break;
    default:
        break;
    }
#undef R
    return makes_process(number, a, b) ? alone(number, a, b, c, d, e, f)
                                       : real.syscall(number, a, b, c, d, e, f);
}
