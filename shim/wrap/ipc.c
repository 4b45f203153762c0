/* SPDX-License-Identifier: MIT */
/* Waits on semaphores and message queues that the kernel never restarts: signal(7). */
/* Context: AS-Safe where the call is, MT-Safe, cancellation points. */
#include <semaphore.h>
#include <sys/msg.h>
#include <sys/sem.h>

#include "sigsafe/safepoint.h"
#include "wrap/patience.h"
#include "wrap/wrap.h"

WRAP int semop(int id, struct sembuf *operations, size_t count)
{
    int result;

    WAIT_FOR(result, real.semop(id, operations, count));
    return result;
}

WRAP int semtimedop(int id, struct sembuf *operations, size_t count, const struct timespec *timeout)
{
    struct patience patience = patience_timespec(timeout);
    struct timespec room;
    struct wait wait = wait_begin();
    int result = real.semtimedop(id, operations, count, timeout);

    while (wait_again(&wait, result)) {
        result = real.semtimedop(id, operations, count, patience_left(&patience, &room));
    }
    return result;
}

WRAP int msgsnd(int id, const void *message, size_t size, int flags)
{
    int result;

    WAIT_FOR(result, real.msgsnd(id, message, size, flags));
    return result;
}

WRAP ssize_t msgrcv(int id, void *message, size_t size, long type, int flags)
{
    ssize_t result;

    WAIT_FOR(result, real.msgrcv(id, message, size, type, flags));
    return result;
}

/* Their time is absolute. sem_wait is restarted by the kernel. */
WRAP int sem_timedwait(sem_t *semaphore, const struct timespec *until)
{
    int result;

    WAIT_FOR(result, real.sem_timedwait(semaphore, until));
    return result;
}

WRAP int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until)
{
    int result;

    WAIT_FOR(result, real.sem_clockwait(semaphore, clock, until));
    return result;
}
