/* SPDX-License-Identifier: MIT */
/* Runs a function that opens files, where the program's descriptors are not in its reach. */
/* Context: arming and coordinator thread; blocks the calling thread until the function is done. */

/*
 * A file that is opened among the program's descriptors takes a number that the program may expect to
 * get; a program that closes what it doesn't know (closefrom) closes it, and what is written next goes
 * to whatever has that number then; and closing it here loses all POSIX locks that the program has on
 * it (fcntl(2)): a database would go on without the lock that it relies on. All three belong to the
 * descriptor table, so the function gets a table of its own: 0, 1 and 2, for the log, and nothing
 * else.
 *
 * The calling thread is suspended meanwhile (CLONE_VFORK), and the function runs in a thread made by
 * clone(2), on a stack of its own and with the caller's thread-local storage, all signals blocked. To
 * everything in memory it is the caller: it may allocate. libc doesn't know of it, so a single-threaded
 * program stays one. The program's own threads go on.
 */
#ifndef FLUXSHIM_ENGINE_APART_H
#define FLUXSHIM_ENGINE_APART_H

/* 0, or -errno: then it didn't run. */
int apart_run(void (*function)(void *argument), void *argument);

#endif
