/* SPDX-License-Identifier: MIT */
/* The ways in which a program asks for its signals: one install function each. */
#ifndef SERVERS_SIGINSTALL_H
#define SERVERS_SIGINSTALL_H

#include <signal.h>
#include <stdbool.h>

typedef void (*signal_handler)(int);

/* One row of the table in sigstyle.c. */
struct sigstyle {
    const char *name;
    unsigned servers; /* the kinds of server that it works in */
    void (*install)(const struct sigstyle *style);
    int flags;                                   /* of sigaction, or what `call` implies */
    signal_handler (*call)(int, signal_handler); /* signal() and its siblings */
    int (*simple_call)(int);                     /* sigignore(), sighold() */
    void *(*thread)(void *);                     /* one that waits for the signals */
    bool after_listen;
};

void install_nothing(const struct sigstyle *style);
void install_action(const struct sigstyle *style);
void install_action_blocked(const struct sigstyle *style);
void install_action_in_thread(const struct sigstyle *style);
void install_reraise(const struct sigstyle *style);
void install_by_call(const struct sigstyle *style);
void install_by_simple_call(const struct sigstyle *style);
void install_interruptible(const struct sigstyle *style);
void install_ignore(const struct sigstyle *style);
void install_blocked(const struct sigstyle *style);
void install_thread(const struct sigstyle *style);
void install_signalfd(const struct sigstyle *style);
void install_selfpipe(const struct sigstyle *style);

/* SIGTERM and SIGINT. */
extern const int siginstall_signals[2];
void siginstall_fill(sigset_t *set);
bool siginstall_is_own_handler(signal_handler handler);

/* What an install function left behind for the server's loop. */
struct siginstall_state {
    int fd; /* a signalfd or the read end of the self-pipe, or -1 */
    bool fd_is_pipe;
    sigset_t open_mask; /* the mask from before the signals were blocked */
};
extern struct siginstall_state siginstall;

#endif
