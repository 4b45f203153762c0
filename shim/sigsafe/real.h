/* SPDX-License-Identifier: MIT */
/* The real calls: one row a name, resolved once; `real.close(fd)` can't be mistaken for a wrapper.
 */
/* Context: AS-Safe once resolved (the constructor does it), MT-Safe. */

/*
 * Each row of REAL_CALLS gives return type, name, parameters and arguments. The table starts out
 * filled with stubs that resolve every row and then make the call: a constructor of another
 * library can run before ours (ld.so initialises dependencies first). After real_resolve() a
 * call costs one indirect jump.
 *
 * A name that this libc doesn't have resolves to a call that fails with ENOSYS, just as the
 * kernel would say it.
 */
#ifndef FLUXSHIM_SIGSAFE_REAL_H
#define FLUXSHIM_SIGSAFE_REAL_H

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <threads.h>
#include <time.h>

#include "sigsafe/inner.h"

typedef void (*real_handler)(int);
typedef void *(*real_thread_body)(void *);

#define REAL_CALLS_DESCRIPTORS(R)                                                                  \
    R(int, accept, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len))                   \
    R(int, accept4, (int fd, struct sockaddr *sa, socklen_t *len, int fl), (fd, sa, len, fl))      \
    R(int, bind, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len))                \
    R(int, listen, (int fd, int backlog), (fd, backlog))                                           \
    R(int, close, (int fd), (fd))                                                                  \
    R(int, shutdown, (int fd, int how), (fd, how))                                                 \
    R(int, dup, (int fd), (fd))                                                                    \
    R(int, dup2, (int from, int to), (from, to))                                                   \
    R(int, dup3, (int from, int to, int flags), (from, to, flags))                                 \
    R(int, fcntl, (int fd, int cmd, void *arg), (fd, cmd, arg))                                    \
    R(int, fcntl64, (int fd, int cmd, void *arg), (fd, cmd, arg))                                  \
    R(int, close_range, (unsigned first, unsigned last, int flags), (first, last, flags))          \
    R(int, fclose, (FILE * f), (f))                                                                \
    R(FILE *, freopen, (const char *p, const char *m, FILE *f), (p, m, f))                         \
    R(FILE *, freopen64, (const char *p, const char *m, FILE *f), (p, m, f))

#define REAL_CALLS_IO(R)                                                                           \
    R(ssize_t, read, (int fd, void *b, size_t n), (fd, b, n))                                      \
    R(ssize_t, readv, (int fd, const struct iovec *v, int n), (fd, v, n))                          \
    R(ssize_t, recv, (int fd, void *b, size_t n, int fl), (fd, b, n, fl))                          \
    R(ssize_t, recvfrom, (int fd, void *b, size_t n, int fl, struct sockaddr *a, socklen_t *l),    \
      (fd, b, n, fl, a, l))                                                                        \
    R(ssize_t, recvmsg, (int fd, struct msghdr *m, int fl), (fd, m, fl))                           \
    R(int, recvmmsg, (int fd, struct mmsghdr *m, unsigned n, int fl, struct timespec *t),          \
      (fd, m, n, fl, t))                                                                           \
    R(ssize_t, __read_chk, (int fd, void *b, size_t n, size_t max), (fd, b, n, max))               \
    R(ssize_t, __recv_chk, (int fd, void *b, size_t n, size_t max, int fl), (fd, b, n, max, fl))   \
    R(ssize_t, __recvfrom_chk,                                                                     \
      (int fd, void *b, size_t n, size_t max, int fl, struct sockaddr *a, socklen_t *l),           \
      (fd, b, n, max, fl, a, l))                                                                   \
    R(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, n))                               \
    R(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))                         \
    R(ssize_t, send, (int fd, const void *b, size_t n, int fl), (fd, b, n, fl))                    \
    R(ssize_t, sendto,                                                                             \
      (int fd, const void *b, size_t n, int fl, const struct sockaddr *a, socklen_t l),            \
      (fd, b, n, fl, a, l))                                                                        \
    R(ssize_t, sendmsg, (int fd, const struct msghdr *m, int fl), (fd, m, fl))                     \
    R(int, sendmmsg, (int fd, struct mmsghdr *m, unsigned n, int fl), (fd, m, n, fl))              \
    R(ssize_t, sendfile, (int out, int in, off_t *off, size_t n), (out, in, off, n))               \
    R(ssize_t, sendfile64, (int out, int in, off64_t *off, size_t n), (out, in, off, n))           \
    R(ssize_t, splice, (int in, off64_t *oi, int out, off64_t *oo, size_t n, unsigned fl),         \
      (in, oi, out, oo, n, fl))

#define REAL_CALLS_WAITS(R)                                                                        \
    R(int, poll, (struct pollfd * p, nfds_t n, int ms), (p, n, ms))                                \
    R(int, ppoll, (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *m),      \
      (p, n, t, m))                                                                                \
    R(int, select, (int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *t), (n, r, w, e, t))   \
    R(int, pselect,                                                                                \
      (int n, fd_set *r, fd_set *w, fd_set *e, const struct timespec *t, const sigset_t *m),       \
      (n, r, w, e, t, m))                                                                          \
    R(int, epoll_wait, (int ep, struct epoll_event *ev, int n, int ms), (ep, ev, n, ms))           \
    R(int, epoll_pwait, (int ep, struct epoll_event *ev, int n, int ms, const sigset_t *m),        \
      (ep, ev, n, ms, m))                                                                          \
    R(int, epoll_pwait2,                                                                           \
      (int ep, struct epoll_event *ev, int n, const struct timespec *t, const sigset_t *m),        \
      (ep, ev, n, t, m))                                                                           \
    R(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *ev), (ep, op, fd, ev))          \
    R(int, nanosleep, (const struct timespec *t, struct timespec *left), (t, left))                \
    R(int, clock_nanosleep,                                                                        \
      (clockid_t c, int fl, const struct timespec *t, struct timespec *left), (c, fl, t, left))    \
    R(pid_t, wait4, (pid_t p, int *st, int o, struct rusage *ru), (p, st, o, ru))                  \
    R(int, semop, (int id, struct sembuf *s, size_t n), (id, s, n))                                \
    R(int, semtimedop, (int id, struct sembuf *s, size_t n, const struct timespec *t),             \
      (id, s, n, t))                                                                               \
    R(int, msgsnd, (int id, const void *m, size_t n, int fl), (id, m, n, fl))                      \
    R(ssize_t, msgrcv, (int id, void *m, size_t n, long type, int fl), (id, m, n, type, fl))       \
    R(int, sem_timedwait, (sem_t * s, const struct timespec *t), (s, t))                           \
    R(int, sem_clockwait, (sem_t * s, clockid_t c, const struct timespec *t), (s, c, t))           \
    R(int, waitid, (idtype_t t, id_t i, siginfo_t * si, int o), (t, i, si, o))

#define REAL_CALLS_SIGNALS(R)                                                                      \
    R(int, sigaction, (int s, const struct sigaction *a, struct sigaction *o), (s, a, o))          \
    R(real_handler, signal, (int s, real_handler h), (s, h))                                       \
    R(real_handler, sysv_signal, (int s, real_handler h), (s, h))                                  \
    R(real_handler, sigset, (int s, real_handler h), (s, h))                                       \
    R(int, sighold, (int s), (s))                                                                  \
    R(int, sigrelse, (int s), (s))                                                                 \
    R(int, sigignore, (int s), (s))                                                                \
    R(int, siginterrupt, (int s, int on), (s, on))                                                 \
    R(int, pthread_sigmask, (int how, const sigset_t *s, sigset_t *o), (how, s, o))                \
    R(int, sigsuspend, (const sigset_t *m), (m))                                                   \
    R(int, sigtimedwait, (const sigset_t *s, siginfo_t *si, const struct timespec *t), (s, si, t)) \
    R(int, signalfd, (int fd, const sigset_t *m, int fl), (fd, m, fl))

#define REAL_CALLS_PROCESS(R)                                                                      \
    R(int, pthread_create, (pthread_t * t, const pthread_attr_t *a, real_thread_body f, void *x),  \
      (t, a, f, x))                                                                                \
    R(int, thrd_create, (thrd_t * t, thrd_start_t f, void *x), (t, f, x))                          \
    R(int, execve, (const char *p, char *const *av, char *const *ev), (p, av, ev))                 \
    R(int, execvpe, (const char *p, char *const *av, char *const *ev), (p, av, ev))                \
    R(int, fexecve, (int fd, char *const *av, char *const *ev), (fd, av, ev))                      \
    R(int, execveat, (int d, const char *p, char *const *av, char *const *ev, int fl),             \
      (d, p, av, ev, fl))                                                                          \
    R(int, clone, (int (*f)(void *), void *stk, int fl, void *x, void *a, void *b, void *c),       \
      (f, stk, fl, x, a, b, c))                                                                    \
    R(pid_t, fork, (void), ())                                                                     \
    R(pid_t, _Fork, (void), ())                                                                    \
    R(int, posix_spawn,                                                                            \
      (pid_t * p, const char *f, const posix_spawn_file_actions_t *fa,                             \
       const posix_spawnattr_t *at, char *const *av, char *const *ev),                             \
      (p, f, fa, at, av, ev))                                                                      \
    R(int, posix_spawnp,                                                                           \
      (pid_t * p, const char *f, const posix_spawn_file_actions_t *fa,                             \
       const posix_spawnattr_t *at, char *const *av, char *const *ev),                             \
      (p, f, fa, at, av, ev))                                                                      \
    R(int, system, (const char *c), (c))                                                           \
    R(FILE *, popen, (const char *c, const char *m), (c, m))                                       \
    R(int, unshare, (int fl), (fl))                                                                \
    R(int, setns, (int fd, int t), (fd, t))                                                        \
    R(int, prctl, (int o, long a, long b, long c, long d), (o, a, b, c, d))                        \
    R(long, syscall, (long nr, long a, long b, long c, long d, long e, long f),                    \
      (nr, a, b, c, d, e, f))

#define REAL_CALLS(R)                                                                              \
    REAL_CALLS_DESCRIPTORS(R)                                                                      \
    REAL_CALLS_IO(R)                                                                               \
    REAL_CALLS_WAITS(R)                                                                            \
    REAL_CALLS_SIGNALS(R)                                                                          \
    REAL_CALLS_PROCESS(R)

struct real_calls {
#define R(ret, name, params, args) ret(*name) params;
    REAL_CALLS(R)
#undef R
    pid_t (*vfork)(void);                         /* no stub: its frame can't be left twice */
    void (*_exit)(int) __attribute__((noreturn)); /* no stub: noreturn, as the next four */
    void (*exit_program)(int) __attribute__((noreturn));
    void (*exit_quickly)(int) __attribute__((noreturn));
    void (*abort_program)(void) __attribute__((noreturn));
    void (*pthread_exit)(void *) __attribute__((noreturn));
    void (*closefrom)(int); /* no stub: returns nothing */
};

extern struct real_calls real INNER;

/* Look every row up. Idempotent; two threads that do it at once store the same values. */
void real_resolve(void);

#endif
