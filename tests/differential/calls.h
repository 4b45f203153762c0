/* SPDX-License-Identifier: MIT */
/* The table of steps: a name, how often it is chosen, and the function that does it. */
/* Context: the program that is compared. */

/*
 * A step makes one or a few calls and records what each returned (TRY). It may not block for ever: a
 * call that might wait is made between guard_begin and guard_end (guard.h). Nor may it do what is
 * meant to differ under the shim; those few things stand in allow.h, each with its reason.
 */
#ifndef DIFFERENTIAL_CALLS_H
#define DIFFERENTIAL_CALLS_H

#include <errno.h>
#include <stdbool.h>

#include "record.h"
#include "steps.h"

struct call {
    const char *name;
    unsigned weight;
    void (*run)(const struct step *step);
};

extern const struct call calls[];
extern const unsigned calls_count;

bool calls_find(const char *name, unsigned *ret_call);

/* Make a call, record its result and errno, and give the result back. */
#define TRY(call)                                                                                  \
    ({                                                                                             \
        errno = RECORD_ERRNO;                                                                      \
        long try_result = (long)(call);                                                            \
        record_call(#call, try_result, errno);                                                     \
        try_result;                                                                                \
    })

/* One of several values. */
#define ONE_OF(random, ...)                                                                        \
    ((const int[]){__VA_ARGS__}[(random) % (sizeof((const int[]){__VA_ARGS__}) / sizeof(int))])

/* An address that no program has. Volatile: the compilers would know that it is wrong. */
extern char *volatile calls_nowhere;

/*
 * For steps that fork or exec (run.c). A child runs some of the steps that follow, at most so many; after that
 * the parent, which waits for it, runs them too. Not in a child's child.
 */
bool calls_may_fork(void);
void calls_run_child(size_t most);

/* Arguments with which this program goes on where it is; `most` as above, 0: to the end. */
char **calls_arguments(size_t most);

/* descriptor */
void call_open(const struct step *s);
void call_pipe(const struct step *s);
void call_eventfd(const struct step *s);
void call_timerfd(const struct step *s);
void call_close(const struct step *s);
void call_close_range(const struct step *s);
void call_closefrom(const struct step *s);
void call_dup(const struct step *s);
void call_dup2(const struct step *s);
void call_dup3(const struct step *s);
void call_fcntl(const struct step *s);
void call_stdio(const struct step *s);
/* socket */
void call_socket(const struct step *s);
void call_socketpair(const struct step *s);
void call_bind(const struct step *s);
void call_listen(const struct step *s);
void call_connect(const struct step *s);
void call_accept(const struct step *s);
void call_accept4(const struct step *s);
void call_shutdown(const struct step *s);
void call_server(const struct step *s);
void call_connection(const struct step *s);
void call_sockopt(const struct step *s);
/* transfer */
void call_read(const struct step *s);
void call_readv(const struct step *s);
void call_recv(const struct step *s);
void call_recvfrom(const struct step *s);
void call_recvmsg(const struct step *s);
void call_recvmmsg(const struct step *s);
void call_write(const struct step *s);
void call_writev(const struct step *s);
void call_send(const struct step *s);
void call_sendto(const struct step *s);
void call_sendmsg(const struct step *s);
void call_sendmmsg(const struct step *s);
void call_sendfile(const struct step *s);
void call_splice(const struct step *s);
void call_answer(const struct step *s);
/* wait */
void call_poll(const struct step *s);
void call_ppoll(const struct step *s);
void call_select(const struct step *s);
void call_pselect(const struct step *s);
void call_epoll_create(const struct step *s);
void call_epoll_ctl(const struct step *s);
void call_epoll_wait(const struct step *s);
void call_nanosleep(const struct step *s);
void call_semop(const struct step *s);
/* signal */
void call_sigaction(const struct step *s);
void call_signal(const struct step *s);
void call_siginterrupt(const struct step *s);
void call_sigset(const struct step *s);
void call_mask(const struct step *s);
void call_old_mask(const struct step *s);
void call_kill(const struct step *s);
void call_sigqueue(const struct step *s);
void call_sigsuspend(const struct step *s);
void call_sigwait(const struct step *s);
void call_signalfd(const struct step *s);
/* process */
void call_fork(const struct step *s);
void call_fork_kill(const struct step *s);
void call_vfork(const struct step *s);
void call_spawn(const struct step *s);
void call_system(const struct step *s);
void call_wait(const struct step *s);
void call_exec(const struct step *s);
void call_facts(const struct step *s);
/* kernel: the same by libc's syscall() */
void call_kernel_descriptor(const struct step *s);
void call_kernel_transfer(const struct step *s);
void call_kernel_wait(const struct step *s);
void call_kernel_signal(const struct step *s);
void call_kernel_fork(const struct step *s);

#endif
