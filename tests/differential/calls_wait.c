/* SPDX-License-Identifier: MIT */
/* Steps that wait for descriptors or for time. */
/* Context: the program that is compared. */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <time.h>

#include "allow.h"
#include "calls.h"
#include "guard.h"
#include "handlers.h"
#include "pool.h"

enum { WATCHED = 3 };

static void watch(struct pollfd *polls, const struct step *s)
{
    for (uint32_t i = 0; i < WATCHED; i++)
        polls[i] =
            (struct pollfd){.fd = pool_any(s->a / (i + 1) + i),
                            .events = (short)ONE_OF(s->b / (i + 1), POLLIN, POLLOUT,
                                                    POLLIN | POLLOUT, POLLRDHUP | POLLPRI, 0)};
}

static void record_revents(const struct pollfd *polls)
{
    for (int i = 0; i < WATCHED; i++)
        record_value("revents", polls[i].revents);
}

/* A wait without an end is ended by the guard. */
void call_poll(const struct step *s)
{
    struct pollfd polls[WATCHED];
    int timeout = ONE_OF(s->c, 0, 0, 1, -1, -5);

    watch(polls, s);
    struct pollfd *array = s->d % 24 == 5 ? (struct pollfd *)calls_nowhere : polls;
    nfds_t count = (nfds_t)ONE_OF(s->d, 3, 3, 1, 0, 100000);

    if (timeout < 0)
        GUARDED(poll(array, count, timeout));
    else
        TRY(poll(array, count, timeout));
    record_revents(polls);
}

static const struct timespec *time_of(uint32_t random, struct timespec *room)
{
    *room = (struct timespec){.tv_nsec = ONE_OF(random, 0, 0, 500000, -1, 0, 1999999999)};
    return random % 7 == 6 ? NULL : room;
}

static const sigset_t *mask_of(uint32_t random, sigset_t *room)
{
    *room = handlers_set(random / 4);
    return random % 4 == 0 ? NULL : room;
}

void call_ppoll(const struct step *s)
{
    allow_wait_with_mask(true);
    struct pollfd polls[WATCHED];
    struct timespec room;
    sigset_t set;
    const struct timespec *time = time_of(s->c, &room);
    const sigset_t *mask = mask_of(s->d, &set);

    watch(polls, s);
    if (!time)
        GUARDED(ppoll(polls, WATCHED, time, mask));
    else
        TRY(ppoll(polls, WATCHED, time, mask));
    record_value("nanoseconds", room.tv_nsec);
    record_revents(polls);
}

/* Only descriptors below FD_SETSIZE, but also such as aren't open. */
static void put(fd_set *set, uint32_t random)
{
    FD_ZERO(set);
    for (uint32_t i = 0; i < random % 4; i++)
        FD_SET(POOL_FIRST + (int)(random / (4 + i) % (random % 5 ? 8 : POOL_END)), set);
}

void call_select(const struct step *s)
{
    fd_set reads, writes;
    struct timeval time = {.tv_usec = ONE_OF(s->c, 0, 0, 500, -1)};
    int count = ONE_OF(s->d, POOL_END, POOL_END, 5, 0, -1);

    put(&reads, s->a);
    put(&writes, s->b);
    if (s->c % 7 == 6)
        GUARDED(select(count, &reads, &writes, NULL, NULL));
    else
        TRY(select(count, &reads, &writes, NULL, &time));
    record_bytes("readable", &reads, 8);
    record_bytes("writable", &writes, 8);
}

void call_pselect(const struct step *s)
{
    allow_wait_with_mask(true);
    fd_set reads;
    struct timespec room;
    sigset_t set;
    const struct timespec *time = time_of(s->c, &room);
    const sigset_t *mask = mask_of(s->d, &set);

    put(&reads, s->a);
    if (!time)
        GUARDED(pselect(POOL_END, &reads, NULL, NULL, time, mask));
    else
        TRY(pselect(POOL_END, &reads, NULL, NULL, time, mask));
    record_bytes("readable", &reads, 8);
}

void call_epoll_create(const struct step *s)
{
    TRY(epoll_create1(s->a % 2 ? EPOLL_CLOEXEC : 0));
}

void call_epoll_ctl(const struct step *s)
{
    int epoll = pool_of(POOL_EPOLL, s->a), fd = pool_any(s->b);
    int operation =
        ONE_OF(s->c, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, 9);
    struct epoll_event event = {
        .events = (uint32_t)ONE_OF(s->d, EPOLLIN, EPOLLIN | EPOLLOUT, EPOLLIN | (int)EPOLLET,
                                   EPOLLIN | EPOLLRDHUP, EPOLLIN | EPOLLONESHOT,
                                   EPOLLIN | EPOLLEXCLUSIVE),
        .data.fd = fd};

    TRY(epoll_ctl(epoll, operation, fd,
                  s->d % 24 == 7 ? (struct epoll_event *)calls_nowhere : &event));
}

static void record_events(const struct epoll_event *events, long n)
{
    for (long i = 0; i < n; i++) {
        record_value("event", (long)events[i].events);
        record_value("of", events[i].data.fd);
    }
}

void call_epoll_wait(const struct step *s)
{
    allow_wait_with_mask(true);
    struct epoll_event events[8];
    struct timespec room;
    sigset_t set;
    int epoll = pool_of(POOL_EPOLL, s->a), most = ONE_OF(s->b, 8, 8, 1, 0, -1),
        timeout = ONE_OF(s->c, 0, 0, 1, -1);
    const sigset_t *mask = mask_of(s->d, &set);
    long n;

    if (s->b % 3 == 0)
        n = timeout < 0 ? GUARDED(epoll_wait(epoll, events, most, timeout))
                        : TRY(epoll_wait(epoll, events, most, timeout));
    else if (s->b % 3 == 1)
        n = timeout < 0 ? GUARDED(epoll_pwait(epoll, events, most, timeout, mask))
                        : TRY(epoll_pwait(epoll, events, most, timeout, mask));
    else
        n = GUARDED(
            epoll_pwait2(epoll, events, most, timeout < 0 ? NULL : time_of(0, &room), mask));
    record_events(events, n);
}

void call_nanosleep(const struct step *s)
{
    struct timespec time = {.tv_nsec = ONE_OF(s->a, 1000, -1, 200000, 0)};
    struct timespec left = {0};

    if (s->b % 2)
        TRY(nanosleep(&time, &left));
    else
        TRY(clock_nanosleep(ONE_OF(s->c, CLOCK_MONOTONIC, CLOCK_REALTIME, 77), 0, &time, &left));
    record_value("left", left.tv_nsec);
}

/* A set of its own that is gone at the end of the step: it would outlive the program. */
void call_semop(const struct step *s)
{
    int set = semget(IPC_PRIVATE, 1, 0600);
    struct sembuf change = {.sem_op = (short)ONE_OF(s->a, 1, -1, -1),
                            .sem_flg = (short)ONE_OF(s->b, 0, IPC_NOWAIT)};
    struct timespec room;
    const struct timespec *time = time_of(s->c % 3, &room);

    record_value("semget", set >= 0);
    if (s->d % 2)
        record_value("semop", GUARDED((semop(set, &change, 1))));
    else
        record_value("semtimedop", TRY((semtimedop(set, &change, 1, time))));
    semctl(set, 0, IPC_RMID);
}
