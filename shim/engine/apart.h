/* SPDX-License-Identifier: MIT */
/* Runs a function that opens and closes files of the program. */
/* Context: arming and coordinator thread; blocks the calling thread until the function is done. */

/*
 * A process that closes any descriptor of a file loses all its POSIX locks on it (fcntl(2)): a server
 * whose database was opened and closed here would go on without the lock that it relies on. Such locks
 * belong to the descriptor table, so the function gets a table of its own, and an empty one.
 *
 * It runs in a child that shares the memory, made with exit signal 0: no wait() of the program's sees
 * it, and no SIGCHLD tells of it. Only the calling thread waits (CLONE_VFORK), with all signals
 * blocked, so that no handler runs in the child. It may make system calls and touch memory, and
 * must not allocate: another thread may be in malloc.
 */
#ifndef FLUXSHIM_ENGINE_APART_H
#define FLUXSHIM_ENGINE_APART_H

/* 0, or -errno: then it didn't run. */
int apart_run(void (*function)(void *argument), void *argument);

#endif
