/* SPDX-License-Identifier: MIT */
/* All stream sockets of a network namespace, by inode: sock_diag(7). */
/* Context: a program of one thread. */

/*
 * One dump for each of AF_INET, AF_INET6 and AF_UNIX. For a process in another network namespace the
 * netlink socket is made there, which takes the right to enter it (setns(2), CAP_SYS_ADMIN).
 */
#ifndef FLUXCTL_FAMILY_SOCKETS_H
#define FLUXCTL_FAMILY_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct socket_row {
    uint64_t inode;
    int domain;
    bool listens;
    bool
        refuses; /* a listener that is bound to an interface that doesn't exist (sigsafe/refuse.h) */
    uint8_t state;           /* TCP_ESTABLISHED and so on; AF_UNIX uses the same numbers */
    uint32_t unread, unsent; /* bytes; of a listener: waiting for accept, and how many may */
    struct sockaddr_storage local, peer;
    socklen_t local_size, peer_size;
    bool has_info; /* TCP_INFO is there: */
    uint64_t received, sent;
    int64_t since_received_ms, since_sent_ms;
};

struct sockets {
    struct socket_row *rows; /* by inode */
    size_t count;
};

/* Those that `pid` could have. 0, or -errno: -EPERM if its namespace can't be entered. */
int sockets_read(pid_t pid, struct sockets *ret_sockets);
void sockets_free(struct sockets *sockets);

/* NULL: there is none. */
const struct socket_row *sockets_find(const struct sockets *sockets, uint64_t inode);

#endif
