/* SPDX-License-Identifier: MIT */
/* What servers with blocking connections share: the next connection, and serving one to its end. */
#ifndef SERVERS_BLOCKING_H
#define SERVERS_BLOCKING_H

#include "listeners.h"

/* Waits for the next connection: in accept() if there is one listener and nothing else to watch,
 * else in poll(). Ends the process when its signal has come. */
int blocking_accept(const struct listeners *listeners);

/* Reads requests and answers them until either side closes. Closes the connection. */
void blocking_serve(int fd);

#endif
