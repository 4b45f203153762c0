/* SPDX-License-Identifier: MIT */
/* Connections that go from one process to another over an AF_UNIX socket (SCM_RIGHTS, unix(7)). */
/* Context: AS-Safe, MT-Safe, never blocks; but for what arms the process, see boot/arm.c. */
#ifndef FLUXSHIM_WRAP_FDPASS_H
#define FLUXSHIM_WRAP_FDPASS_H

#include <sys/socket.h>

#include "sigsafe/family.h"
#include "wrap/wrap.h"

/*
 * Before a message is sent by a process that has bound stream sockets and listens on none: if it gives one
 * of them away (a primary whose workers listen), it arms, so that the receiver finds its family. The
 * message may be no memory at all: it is looked at through the kernel.
 */
void fdpass_before_first(const struct msghdr *message);

static inline void fdpass_before(const struct msghdr *message)
{
    if (UNLIKELY(atomic_load_explicit(&life->binds, memory_order_relaxed)) && !family_self()) {
        fdpass_before_first(message);
    }
}

/* After a message was sent: what it carries is in nobody's table once the sender has closed it. */
void fdpass_sent(const struct msghdr *message);

/*
 * After one was received: what it carried is this process's now. With MSG_PEEK it will come again, and is
 * on its way until then.
 */
void fdpass_received(const struct msghdr *message, int flags);

#endif
