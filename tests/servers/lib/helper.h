/* SPDX-License-Identifier: MIT */
/* Runs the program named by --helper, in each way that a server may start one. */
#ifndef SERVERS_HELPER_H
#define SERVERS_HELPER_H

#include "buffer.h"

/* Appends what the program prints. The target says how: /helper?how=fork|vfork|spawn|system. */
void helper_run(const char *target, struct buffer *output);

#endif
