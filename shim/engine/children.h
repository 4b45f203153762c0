/* SPDX-License-Identifier: MIT */
/* Does this process run other programs: a session's shell, a CGI? */
/* Context: coordinator thread only; reads /proc, never waits. */

/*
 * What a child program writes comes when it likes: a connection that it is relayed to is in flight while
 * it lives, however quiet it is. Whose connection it is can't be told, so the rule is for a process that
 * holds just one and takes no others: the child of a server that forks for each connection (dropbear,
 * socat), or a server that serves one and ends.
 */
#ifndef FLUXSHIM_ENGINE_CHILDREN_H
#define FLUXSHIM_ENGINE_CHILDREN_H

#include <stdbool.h>

/* A living child that has become another program (/proc/PID/task/TID/children, proc(5), Linux 3.5). */
bool children_run_a_program(void);

#endif
