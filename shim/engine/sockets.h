/* SPDX-License-Identifier: MIT */
/* What the kernel knows of a socket. */
/* Context: coordinator thread only; makes system calls, never waits for the network. */
#ifndef FLUXSHIM_ENGINE_SOCKETS_H
#define FLUXSHIM_ENGINE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Bytes that arrived and haven't been read (SIOCINQ); 0 if the kernel won't say. */
int sockets_unread(int fd);

/* Bytes written that the peer hasn't acknowledged, or read if it is AF_UNIX (SIOCOUTQ). */
int sockets_unsent(int fd);

/* What TCP itself has seen of a connection; all zero for other families. */
struct sockets_tcp {
    uint64_t received, sent; /* bytes of payload, tcpi_bytes_received, tcpi_bytes_sent (4.19) */
    int64_t round_trip_ns;   /* smoothed, tcpi_rtt */
    int64_t quiet_ns;        /* since the later of last data in and last data out; 4 ms ticks */
    bool over;               /* closed on both sides: only the descriptor is left */
    bool sent_last;          /* the last data went out, not in */
};

/* False if fd isn't TCP. */
bool sockets_tcp(int fd, struct sockets_tcp *ret_tcp);

/* Connections in the accept queue of a TCP listener (tcpi_unacked of TCP_INFO); -1: unknown. */
int sockets_queued(int fd);

/*
 * Handshakes begun on any TCP port of `ports` and not finished (sock_diag); -1: unknown. `six`: some of
 * them over IPv6. The kernel looks at all of its sockets for each of the two: 11 ms with 262,144 buckets.
 */
int sockets_half_open(const uint16_t *ports, size_t count, bool six);

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@abstract", "unix:" */
void sockets_format(const struct sockaddr *address, socklen_t size, char *ret_text, size_t room);
void sockets_peer(int fd, char *ret_text, size_t room);

#endif
