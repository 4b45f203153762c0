/* SPDX-License-Identifier: MIT */
/* The table itself. */
/* Context: the program that is compared. */
#include "calls.h"

#include <string.h>

char *volatile calls_nowhere = (char *)8;

#define ROW(name, weight)                                                                          \
    {                                                                                              \
#name, weight, call_##name                                                                 \
    }

const struct call calls[] = {
    ROW(open, 4),
    ROW(pipe, 5),
    ROW(eventfd, 2),
    ROW(timerfd, 1),
    ROW(close, 14),
    ROW(close_range, 2),
    ROW(closefrom, 1),
    ROW(dup, 3),
    ROW(dup2, 4),
    ROW(dup3, 3),
    ROW(fcntl, 8),
    ROW(stdio, 2),
    ROW(socket, 6),
    ROW(socketpair, 6),
    ROW(bind, 5),
    ROW(listen, 4),
    ROW(connect, 5),
    ROW(accept, 6),
    ROW(accept4, 5),
    ROW(shutdown, 5),
    ROW(server, 4),
    ROW(connection, 6),
    ROW(sockopt, 4),
    ROW(read, 8),
    ROW(readv, 3),
    ROW(recv, 8),
    ROW(recvfrom, 4),
    ROW(recvmsg, 6),
    ROW(recvmmsg, 2),
    ROW(write, 8),
    ROW(writev, 3),
    ROW(send, 8),
    ROW(sendto, 4),
    ROW(sendmsg, 6),
    ROW(sendmmsg, 2),
    ROW(sendfile, 3),
    ROW(splice, 2),
    ROW(answer, 6),
    ROW(poll, 5),
    ROW(ppoll, 4),
    ROW(select, 4),
    ROW(pselect, 4),
    ROW(epoll_create, 3),
    ROW(epoll_ctl, 8),
    ROW(epoll_wait, 8),
    ROW(nanosleep, 2),
    ROW(semop, 1),
    ROW(sigaction, 12),
    ROW(signal, 6),
    ROW(siginterrupt, 3),
    ROW(sigset, 4),
    ROW(mask, 8),
    ROW(old_mask, 5),
    ROW(kill, 12),
    ROW(sigqueue, 6),
    ROW(sigsuspend, 4),
    ROW(sigwait, 6),
    ROW(signalfd, 5),
    ROW(fork, 4),
    ROW(fork_kill, 2),
    ROW(vfork, 2),
    ROW(spawn, 1),
    ROW(system, 1),
    ROW(wait, 2),
    ROW(exec, 1),
    ROW(facts, 2),
    ROW(kernel_descriptor, 5),
    ROW(kernel_transfer, 5),
    ROW(kernel_wait, 5),
    ROW(kernel_signal, 6),
    ROW(kernel_fork, 2),
};
const unsigned calls_count = sizeof calls / sizeof *calls;

bool calls_find(const char *name, unsigned *ret_call)
{
    for (unsigned i = 0; i < calls_count; i++) {
        if (strcmp(calls[i].name, name) == 0) {
            *ret_call = i;
            return true;
        }
    }
    return false;
}
