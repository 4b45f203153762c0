/* SPDX-License-Identifier: MIT */
/* Steps that make, copy and close descriptors. */
/* Context: the program that is compared. */
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "calls.h"
#include "pool.h"

void call_open(const struct step *s)
{
    static const char *const names[] = {"f0", "f1", "f2", "/dev/null", "nowhere/f", "/dev/zero"};
    int flags = ONE_OF(s->b, O_RDWR | O_CREAT, O_RDONLY, O_WRONLY | O_CREAT | O_APPEND,
                       O_RDWR | O_CREAT | O_TRUNC, O_RDWR | O_CREAT | O_NONBLOCK) |
                (s->c % 2 ? O_CLOEXEC : 0);

    TRY(open(names[s->a % 6], flags, 0600));
}

void call_pipe(const struct step *s)
{
    int ends[2] = {-7, -7};

    TRY(pipe2(ends, (s->a % 2 ? O_CLOEXEC : 0) | (s->b % 2 ? O_NONBLOCK : 0)));
    record_value("read end", ends[0]);
    record_value("write end", ends[1]);
}

void call_eventfd(const struct step *s)
{
    TRY(eventfd(s->a % 3, (s->b % 2 ? EFD_CLOEXEC : 0) | (s->c % 4 ? EFD_NONBLOCK : 0)));
}

void call_timerfd(const struct step *s)
{
    TRY(timerfd_create(CLOCK_MONOTONIC, (s->b % 2 ? TFD_CLOEXEC : 0) | TFD_NONBLOCK));
}

void call_close(const struct step *s)
{
    int fd = pool_any(s->a);

    TRY(close(fd));
}

/* Standard output and error stay. */
void call_close_range(const struct step *s)
{
    unsigned first = POOL_FIRST + s->a % POOL_END, last = first + s->b % 4 - (s->b % 9 == 0);
    int flags = ONE_OF(s->c, 0, 0, CLOSE_RANGE_CLOEXEC, 0x80, CLOSE_RANGE_UNSHARE);

    TRY(close_range(first, last, flags));
}

void call_closefrom(const struct step *s)
{
    closefrom(POOL_END - 1 - (int)(s->a % 8));
    record_value("closefrom", POOL_END - 1 - (int)(s->a % 8));
}

void call_dup(const struct step *s)
{
    int fd = pool_any(s->a);

    TRY(dup(fd));
}

/* Over one that is open, or a number that may be free; never standard output. */
static int target(uint32_t random)
{
    return random % 2 ? pool_any(random / 2) : POOL_FIRST + (int)(random / 2 % POOL_END);
}

void call_dup2(const struct step *s)
{
    int from = pool_any(s->a), to = s->c % 8 == 0 ? from : target(s->b);

    TRY(dup2(from, to));
}

void call_dup3(const struct step *s)
{
    int from = pool_any(s->a), to = s->d % 8 == 0 ? from : target(s->b);
    int flags = ONE_OF(s->c, 0, O_CLOEXEC, O_CLOEXEC, O_NONBLOCK);

    TRY(dup3(from, to, flags));
}

void call_fcntl(const struct step *s)
{
    int fd = pool_any(s->a), least = ONE_OF(s->c, 3, 10, 30, 34, 35, 36, -1, 1 << 20);

    switch (s->b % 8) {
    case 0:
        TRY(fcntl(fd, F_DUPFD, least));
        break;
    case 1:
        TRY(fcntl(fd, F_DUPFD_CLOEXEC, least));
        break;
    case 2:
        TRY(fcntl(fd, F_SETFD, s->c % 2));
        break;
    case 3:
    case 4:
        TRY(fcntl(fd, F_SETFL, ONE_OF(s->c, 0, O_NONBLOCK, O_NONBLOCK, O_APPEND)));
        break;
    case 5:
        TRY(fcntl(fd, F_GETOWN));
        break;
    case 6:
        TRY(fcntl64(fd, F_GETPIPE_SZ));
        break;
    default:
        TRY(fcntl(fd, 12345, s->c));
        break;
    }
}

/* A stream over a copy, so that what it buffers is its own. */
void call_stdio(const struct step *s)
{
    int fd = (int)TRY(dup(pool_of(POOL_FILE | POOL_PIPE | POOL_EVENT, s->a)));
    FILE *stream = fd < 0 ? NULL : fdopen(fd, s->b % 2 ? "r" : "w");

    record_value("fdopen", stream != NULL);
    if (stream && s->c % 4 == 0) {
        stream = freopen(s->c % 8 ? "/dev/null" : "nowhere/f", "r", stream);
        record_value("freopen", stream != NULL);
    }
    if (stream)
        TRY(fclose(stream));
    else if (fd >= 0 && s->c % 4 != 0)
        TRY(close(fd));
}
