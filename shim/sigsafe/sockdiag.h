/* SPDX-License-Identifier: MIT */
/* Asks the kernel for TCP sockets that are nobody's descriptor here: half-open ones, other processes'. */
/* Context: AS-Safe, MT-Safe; makes system calls, never waits for the network. */

/*
 * sock_diag(7), unprivileged, within the network namespace. A dump costs some 20 us and more with many
 * sockets of the port. In a sandbox without netlink there is no answer.
 */
#ifndef FLUXSHIM_SIGSAFE_SOCKDIAG_H
#define FLUXSHIM_SIGSAFE_SOCKDIAG_H

#include <linux/inet_diag.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Call `visit` for each TCP socket of the domain (AF_INET, AF_INET6) whose state is in `states` (bits by
 * TCP_LISTEN and so on) and whose local port is `port` (network order; 0: any). 0, or -1: nobody
 * could say.
 */
int sockdiag_each(int domain, uint32_t states, uint16_t port,
                  void (*visit)(const struct inet_diag_msg *socket, void *argument),
                  void *argument);

#endif
