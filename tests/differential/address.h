/* SPDX-License-Identifier: MIT */
/* Addresses for sockets that nobody else uses: loopback with any port, and names in this folder. */
/* Context: the program that is compared. */
#ifndef DIFFERENTIAL_ADDRESS_H
#define DIFFERENTIAL_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
    struct sockaddr_storage name;
    socklen_t size;
};

/* One that suits the socket, most of the time. */
struct address address_to_bind(int fd, uint32_t random);

/* The one that a socket is bound to; random % 16 == 0: of a wrong size. */
struct address address_of(int fd, uint32_t random);

/* A TCP socket shall not wait for the acknowledgement of what it has sent before (Nagle). */
void address_send_at_once(int fd);

/* What TCP sends on the loopback has arrived when the call ends, unless the machine is busy: wait for it. */
void address_settle(int fd);

#endif
