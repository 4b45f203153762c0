/* SPDX-License-Identifier: MIT */
/* accept, read, write and close, through their libc names or all through syscall(). */
#ifndef SERVERS_SOCKIO_H
#define SERVERS_SOCKIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A connection that helper programs do not inherit. */
int sock_accept(int listener, bool nonblocking);
ssize_t sock_read(int fd, void *bytes, size_t size);
ssize_t sock_write(int fd, const void *bytes, size_t size);
int sock_close(int fd);

/* Waits on a blocking listener until a connection comes. A failure that no client can cause ends
 * the server with `accept failed` on stdout. */
int sock_accept_blocking(int listener);

#endif
