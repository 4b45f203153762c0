/* SPDX-License-Identifier: MIT */
/* What /proc says of a process. */
/* Context: a program of one thread. */

/*
 * A pid alone names nobody for long. Whoever is remembered is remembered with a time at which it
 * lived (milliseconds of CLOCK_BOOTTIME), and a process with its pid that began later is a stranger.
 */
#ifndef FLUXCTL_FAMILY_PROCESS_H
#define FLUXCTL_FAMILY_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    char name[64]; /* as ps(1) shows it; may hold anything */
    char state;    /* 'Z' and 'X': it has ended */
    uid_t uid;
    int64_t began_ms;
};

/* 0, or -errno: -ESRCH if there is none. */
int process_read(pid_t pid, struct process *ret_process);

/* Is the process that had this pid at `alive_ms` (0: whenever) still there? */
bool process_lives(pid_t pid, int64_t alive_ms);

/* Inode of its namespace of that kind ("pid", "net"), 0: can't be said. */
uint64_t process_namespace(pid_t pid, const char *kind);

/*
 * Call `visit` for each descriptor that is a socket, with its inode. 0, or -errno (-EACCES: it is
 * somebody else's).
 */
int process_each_socket(pid_t pid, void (*visit)(int fd, uint64_t inode, void *argument),
                        void *argument);

/* When the system began, seconds since 1970; 0: can't be said. */
int64_t process_boot_s(void);

/* Now, milliseconds of CLOCK_BOOTTIME; nanoseconds of CLOCK_MONOTONIC. */
int64_t process_now_ms(void);
int64_t process_now_ns(void);

#endif
