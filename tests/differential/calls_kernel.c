/* SPDX-License-Identifier: MIT */
/* Steps by libc's syscall(), which is led to the same wrappers. */
/* Context: the program that is compared. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allow.h"
#include "calls.h"
#include "guard.h"
#include "handlers.h"
#include "pool.h"

enum { KERNEL_SET = 8 }; /* bytes */

static char room[512];

void call_kernel_descriptor(const struct step *s)
{
    int fd = pool_any(s->a), other = POOL_FIRST + (int)(s->b % POOL_END);

    switch (s->c % 6) {
    case 0:
        TRY(syscall(SYS_close, fd));
        break;
    case 1:
        TRY(syscall(SYS_dup, fd));
        break;
    case 2:
        TRY(syscall(SYS_dup3, fd, other, s->d % 2 ? O_CLOEXEC : 0));
        break;
    case 3:
        TRY(syscall(SYS_fcntl, fd, ONE_OF(s->d, F_GETFD, F_GETFL, F_DUPFD_CLOEXEC), other));
        break;
    case 4:
        TRY(syscall(SYS_shutdown, fd, ONE_OF(s->d, SHUT_RD, SHUT_WR, 9)));
        break;
    default:
        allow_arming();
        GUARDED(syscall(SYS_accept4, pool_of(POOL_LISTENER, s->a), NULL, NULL,
                        s->d % 2 ? SOCK_NONBLOCK : 0));
        break;
    }
}

void call_kernel_transfer(const struct step *s)
{
    int fd = pool_of(POOL_READABLE, s->a);
    size_t size = s->b % sizeof room;
    char *memory = s->d % 16 == 3 ? calls_nowhere : room;
    long n = 0;

    if (s->c % 2 == 0)
        memset(room, 'k', sizeof room);
    switch (s->c % 4) {
    case 0:
        GUARDED(syscall(SYS_write, fd, memory, size));
        break;
    case 1:
        n = GUARDED(syscall(SYS_read, fd, memory, size));
        break;
    case 2:
        GUARDED(syscall(SYS_sendto, fd, memory, size, MSG_NOSIGNAL, NULL, 0));
        break;
    default:
        n = GUARDED(syscall(SYS_recvfrom, fd, memory, size, MSG_DONTWAIT, NULL, NULL));
        break;
    }
    if (n > 0 && !(pool_kind(fd) & POOL_SIGNALFD))
        record_bytes("bytes", room, (size_t)n);
}

void call_kernel_wait(const struct step *s)
{
    allow_wait_with_mask(true);
    struct pollfd poll = {.fd = pool_any(s->a), .events = POLLIN};
    struct timespec time = {.tv_nsec = ONE_OF(s->b, 0, 300000, -1)};
    sigset_t set = handlers_set(s->c);
    long size = s->d % 16 == 3 ? 5 : KERNEL_SET;
    int status = -7;

    switch (s->d % 4) {
    case 0:
        TRY(syscall(SYS_ppoll, &poll, 1, &time, &set, size));
        break;
    case 1:
        TRY(syscall(SYS_nanosleep, &time, NULL));
        break;
    case 2:
        TRY(syscall(SYS_rt_sigtimedwait, &set, NULL, &time, size));
        break;
    default:
        TRY(syscall(SYS_wait4, -1, &status, WNOHANG, NULL));
        break;
    }
    record_value("revents", poll.revents);
}

/* As in asm/signal.h of x86_64 and arm64. */
struct kernel_action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

/* Only what needs no restorer of ours can be set. */
static void change_action(const struct step *s, int signo)
{
    struct kernel_action action = {.handler = s->b % 2 ? SIG_IGN : SIG_DFL,
                                   .flags = s->c % 2 ? SA_RESTART : 0},
                         old = {0};
    long size = s->d % 16 == 3 ? 5 : KERNEL_SET;
    void *given = s->d % 16 == 5 ? calls_nowhere : s->d % 2 ? (void *)&action : NULL;

    TRY(syscall(SYS_rt_sigaction, signo, given, s->d % 16 == 7 ? (void *)calls_nowhere : &old,
                size));
    record_value("handler", handlers_name(old.handler));
    record_value("flags", (long)(old.flags & ~(unsigned long)ALLOW_LIBC_FLAGS));
    record_value("mask", (long)old.mask);
}

void call_kernel_signal(const struct step *s)
{
    allow_wait_with_mask(true);
    sigset_t set = handlers_set(s->a), old;
    int how = ONE_OF(s->b, SIG_BLOCK, SIG_UNBLOCK, SIG_SETMASK, 77), signo = handlers_signal(s->a);
    long size = s->d % 16 == 3 ? 5 : KERNEL_SET;
    void *given = s->d % 16 == 5 ? calls_nowhere : (char *)&set;

    sigemptyset(&old);
    switch (s->c % 4) {
    case 0:
    case 1:
        TRY(syscall(SYS_rt_sigprocmask, how, given, s->d % 16 == 7 ? (void *)calls_nowhere : &old,
                    size));
        record_value("before", (long)allow_blocked(handlers_bits(&old)));
        break;
    case 2:
        change_action(s, signo);
        break;
    default:
        GUARDED(syscall(SYS_rt_sigsuspend, given, size));
        break;
    }
}

void call_kernel_fork(const struct step *s)
{
    int status = -7;

    if (!calls_may_fork())
        return;
    errno = RECORD_ERRNO;
    pid_t pid = (pid_t)(s->a % 2 ? syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : syscall(SYS_fork));

    if (pid == 0) {
        calls_run_child(s->b);
        _exit((int)(s->c % 200));
    }
    int error = errno;

    while (pid > 0 && waitpid(pid, &status, 0) == -1 && errno == EINTR) {
    }
    record_call("clone", pid > 0 ? 1 : -1, error);
    record_value("status", status);
}
