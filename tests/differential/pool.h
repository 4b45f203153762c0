/* SPDX-License-Identifier: MIT */
/* The descriptors that steps work on: chosen by a random number among those that are open. */
/* Context: the program that is compared. */
#ifndef DIFFERENTIAL_POOL_H
#define DIFFERENTIAL_POOL_H

#include <stdbool.h>
#include <stdint.h>

/* Descriptors are below POOL_END, by RLIMIT_NOFILE: at times there is none left. */
enum { POOL_FIRST = 3, POOL_END = 36 };

enum pool_kind {
    POOL_SOCKET = 1, /* stream, not connected */
    POOL_LISTENER = 2,
    POOL_CONNECTION = 4, /* stream or seqpacket */
    POOL_DATAGRAM = 8,
    POOL_PIPE = 16,
    POOL_FILE = 32,
    POOL_EPOLL = 64,
    POOL_EVENT = 128, /* eventfd, timerfd */
    POOL_SIGNALFD = 256,
    POOL_TCP = 512, /* besides one of the above */
    POOL_UNIX = 1024,
    POOL_READABLE =
        POOL_CONNECTION | POOL_DATAGRAM | POOL_PIPE | POOL_FILE | POOL_EVENT | POOL_SIGNALFD,
};

bool pool_is_open(int fd);

/* A set of enum pool_kind; 0 if it isn't open. */
unsigned pool_kind(int fd);

/* One that is open; one time in sixteen any number, also one that can't be. */
int pool_any(uint32_t random);

/* One that has one of these kinds, if there is any, else as pool_any; one time in 32 always so. */
int pool_of(unsigned kinds, uint32_t random);

#endif
