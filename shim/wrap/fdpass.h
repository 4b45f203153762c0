/* SPDX-License-Identifier: MIT */
/* Connections that go from one process to another over an AF_UNIX socket (SCM_RIGHTS, unix(7)). */
/* Context: AS-Safe, MT-Safe, never blocks. */
#ifndef FLUXSHIM_WRAP_FDPASS_H
#define FLUXSHIM_WRAP_FDPASS_H

#include <sys/socket.h>

/* After a message was sent: what it carries is in nobody's table once the sender has closed it. */
void fdpass_sent(const struct msghdr *message);

/* After one was received: what it carried is this process's now. */
void fdpass_received(const struct msghdr *message);

#endif
