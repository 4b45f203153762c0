/* SPDX-License-Identifier: MIT */
/* The accept queues of refused listeners: when can no connection come out of them any more? */
/* Context: coordinator thread only; makes system calls, never waits. */

/*
 * Half-open handshakes first, then the queue: the other order loses those that complete between
 * the two looks. After the refusal no handshake begins, so both only shrink; a handshake whose
 * client is gone is waited for QUEUE_HALF_OPEN_NS at most. Once both have been empty, a settling
 * time passes and descriptors are reconciled: a connection that has just left the queue may not
 * have reached the table. (TCP_DEFER_ACCEPT and forced syncookies leave no half-open record: their
 * queue is looked at again at the very end.)
 */
#ifndef FLUXSHIM_ENGINE_QUEUE_H
#define FLUXSHIM_ENGINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/record.h"

#define QUEUE_HALF_OPEN_NS 1000000000ll /* one SYN-ACK retransmission */
#define QUEUE_BLIND_NS     200000000ll
#define QUEUE_SETTLE_NS    5000000ll
#define QUEUE_PUT_OFF_NS   20000000ll /* the dear look, while the program has somebody to serve */

void queue_begin(int64_t now);

/* 0 if nothing can come any more, else when to look again. `serves`: there are connections. */
int64_t queue_look(int64_t now, bool serves);

/* A row for each listener; returns how many. */
size_t queue_listeners(struct record_listener *rows, size_t room);

#endif
