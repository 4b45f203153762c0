/* SPDX-License-Identifier: MIT */
/* What the kernel says of another process: is it still the one that we mean, and whose child is it? */
/* Context: AS-Safe, MT-Safe, never blocks. */

/*
 * A pid alone names nobody for long: the kernel uses it again. A process that is remembered is
 * therefore remembered with a time at which it existed (process_now_ms), and one with its pid that
 * began later is a stranger. Start times are field 22 of /proc/PID/stat (proc(5)), in ticks of
 * 10 ms since the machine began; CLOCK_BOOTTIME counts from there, too. Where /proc can't be read (a
 * chroot) kill(2) alone decides, and a pid that is used again is not noticed.
 */
#ifndef FLUXSHIM_SIGSAFE_PROCESS_H
#define FLUXSHIM_SIGSAFE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_PATH 48

/* "/proc/PID/fd/N", and the folder of it. */
void process_fd_path(pid_t pid, unsigned fd, char ret_path[PROCESS_PATH]);
void process_fd_folder(pid_t pid, char ret_path[PROCESS_PATH]);

/*
 * What /proc/self/fdinfo says of a descriptor of this process, `room` bytes and a NUL at most. The length,
 * or -errno. errno is kept.
 */
ssize_t process_fd_info(int fd, char *ret_text, size_t room);

struct process_stat {
    char state; /* as ps(1) shows it */
    pid_t parent;
    int64_t began_ms; /* since the machine began, rounded down to a tick */
};

/* 0, or -errno: no such process, or nothing to be read. */
int process_stat(pid_t pid, struct process_stat *ret_stat);

/*
 * Call `visit` for each entry of a folder of /proc that is a number (the threads of a process, its
 * descriptors), until it says so. True if it did.
 */
bool process_each_number(const char *folder, bool (*visit)(int number, void *argument),
                         void *argument);

/* Milliseconds of CLOCK_BOOTTIME. */
int64_t process_now_ms(void);

/*
 * The process that had this pid at `alive_ms` (0: whenever) is gone or a zombie. False if nobody can
 * say. errno is kept.
 */
bool process_is_gone(pid_t pid, int64_t alive_ms);

#endif
