/* SPDX-License-Identifier: MIT */
/* Starts, pauses and resumes the coordinator's thread. */
/* Context: see each function in the header. */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "sigsafe/context.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/log.h"
#include "sigsafe/real.h"
#include "sigsafe/safepoint.h"
#include "sigsafe/sigdisp.h"

#define COORDINATOR_STACK (256u << 10)

/* At so many ticks of hold.c's timer in a row, 20 ms apart, a thread sits in one and the same call. */
#define TICKS_TO_SIT 3

#define ALONE_LOOKS   50
#define ALONE_LOOK_NS 100000

void *(*_Atomic safepoint_body)(void *);
_Atomic uint32_t *safepoint_libc_threads;

static _Atomic int failure;   /* of the last attempt, an error number */
static pthread_t coordinator; /* valid while life->started; written by whoever set that */

/* Calls that wait for as long as it takes, and that the kernel then restarts (signal(7)). */
static const short waiting_calls[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_recvfrom,
    SYS_sendto,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_recvmmsg,
    SYS_sendmmsg,
    SYS_sendfile,
    SYS_splice,
    SYS_accept,
    SYS_accept4,
    SYS_connect,
    SYS_flock,
    SYS_ppoll,
    SYS_pselect6,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_nanosleep,
    SYS_wait4,
    SYS_clock_nanosleep,
    SYS_rt_sigsuspend,
    SYS_rt_sigtimedwait,
    SYS_waitid,
    SYS_semop,
    SYS_semtimedop,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_mq_timedsend,
    SYS_mq_timedreceive,
#ifdef SYS_poll /* names that newer architectures don't have */
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_pause,
#endif
};

static bool waits(long number, uint32_t second)
{
    if (number == SYS_futex) {
        uint32_t op = second & FUTEX_CMD_MASK;

        return op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET;
    }
    if (number == SYS_fcntl) {
        return second == F_SETLKW || second == F_OFD_SETLKW;
    }
    for (size_t i = 0; i < sizeof(waiting_calls) / sizeof(waiting_calls[0]); i++) {
        if (number == waiting_calls[i]) {
            return true;
        }
    }
    return false;
}

bool safepoint_is_a_wait(const void *context)
{
    struct context_call call = context_call(context);

    return !call.is_any &&
           (context_sees_eintr(context) ||
            (context_restarts(context) && waits(context_number(context), call.second)));
}

/*
 * Other calls may block too (open of a FIFO, ioctl). Whoever is found in one at one place time after time is
 * no handler that has interrupted malloc. Context: the handler, in the program's only thread.
 */
static bool sits_in_a_call(const ucontext_t *context)
{
    static uintptr_t place;
    static int ticks;
    uintptr_t now = context_stack(context);
    bool blocked = now != 0 && (context_sees_eintr(context) || context_restarts(context));

    ticks = blocked && now == place ? ticks + 1 : 0;
    place = blocked ? now : 0;
    return ticks >= TICKS_TO_SIT;
}

void safepoint_count_in_libc(bool in)
{
    uint32_t before = 1;

    if (safepoint_libc_threads) {
        before = in ? atomic_fetch_add(safepoint_libc_threads, 1)
                    : atomic_fetch_sub(safepoint_libc_threads, 1);
    }
    if (before == 0) { /* the program's last thread is in exit(): nobody else may be */
        for (;;) {
            life_sleep(&life->finished, 1, -1);
        }
    }
}

/*
 * The coordinator has nothing more to do for now. Whoever posts an event looks at `started` afterwards,
 * and this looks at the events after it has cleared that: one of the two sees the other. True: there
 * is something to be done again.
 */
static bool is_wanted_again(void)
{
    uint32_t no = 0;

    if (!atomic_exchange(&life->retires, 0)) {
        return false;
    }
    atomic_store(&life->retired, 1);
    atomic_store(&life->started, 0);
    if (atomic_load(&life->events) == 0 ||
        !atomic_compare_exchange_strong(&life->started, &no, 1)) {
        return false;
    }
    atomic_store(&life->retired, 0);
    return true;
}

static void *thread_body(void *unused)
{
    life_thread.is_coordinator = 1;
    do {
        atomic_store(&life->coordinator, (int32_t)real.syscall(SYS_gettid, 0, 0, 0, 0, 0, 0));
        (void)safepoint_body(unused);
        atomic_store(&life->coordinator, 0);
    } while (is_wanted_again());
    safepoint_count_in_libc(true);
    return NULL;
}

static int create_thread(void)
{
    pthread_attr_t attributes;
    sigset_t all, old;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, COORDINATOR_STACK);
    (void)sigfillset(&all);
    if (atomic_load(&life->events) & LIFE_EXIT) { /* hold_guard_exit: its tick must get through */
        sigdisp_remove_from_set(&all, atomic_load(&life->managed));
    }
    (void)real.pthread_sigmask(SIG_SETMASK, &all, &old); /* the new thread inherits it */
    int error = real.pthread_create(&coordinator, &attributes, thread_body, NULL);

    if (error == EINVAL) { /* static TLS is taken from the stack, and a program may have much */
        error = real.pthread_create(&coordinator, NULL, thread_body, NULL);
    }
    if (error == 0) {
        safepoint_count_in_libc(false);
    }
    (void)real.pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void)pthread_attr_destroy(&attributes);
    return -error;
}

int safepoint_error(void)
{
    return atomic_load(&failure);
}

int safepoint_start(void)
{
    uint32_t no = 0;

    if (atomic_load(&life->sandboxed)) {
        return -EPERM;
    }
    if (!atomic_compare_exchange_strong(&life->started, &no, 1)) {
        return 0;
    }
    if (atomic_exchange(&life->retired, 0)) {
        (void)pthread_join(coordinator, NULL); /* it has nothing left to do but to end */
    }
    int error = create_thread();

    if (error != 0) {
        if (atomic_exchange(&failure, -error) == 0) {
            log_error("the drain's thread can't be created (errno %d): trying again", -error);
        }
        atomic_store(&life->started, 0);
        return error;
    }
    atomic_store(&failure, 0);
    atomic_fetch_and(&life->work, ~(uint32_t)SAFEPOINT_START);
    return 0;
}

void safepoint_do_work(void)
{
    uint32_t work = atomic_load(&life->work);
    int saved = errno;

    if (life_thread.in_vfork) {
        return;
    }
    if (work & SAFEPOINT_INHERITED) {
        atomic_fetch_and(&life->work, ~(uint32_t)SAFEPOINT_INHERITED);
        life_gate.arm();
    }
    if (work & SAFEPOINT_START) {
        if (life_armed() || atomic_load(&life->told)) {
            (void)safepoint_start();
            if (!life_draining()) { /* a periodic checkpoint that can't be written now is left out */
                atomic_fetch_and(&life->work, ~(uint32_t)SAFEPOINT_START);
            }
        } else {
            atomic_store(&life->work, 0); /* inherited by a fork: our parent's business */
        }
    }
    errno = saved;
}

void safepoint_from_handler(const void *context)
{
    if (atomic_load(&life->started)) {
        return;
    }
    atomic_fetch_or(&life->work, SAFEPOINT_START);
    fdtab_shut();
    if (safepoint_is_a_wait(context) || sits_in_a_call(context)) {
        (void)safepoint_start();
    }
}

bool wait_is_over(int64_t *since, int fd, int option)
{
    struct timeval limit = {0};
    socklen_t size = sizeof(limit);
    int saved = errno;
    bool has_one = getsockopt(fd, SOL_SOCKET, option, &limit, &size) == 0 &&
                   (limit.tv_sec != 0 || limit.tv_usec != 0);
    int64_t now = life_now();

    *since = *since ? *since : now;
    bool over = has_one && (now - *since) / 1000 >= (int64_t)limit.tv_sec * 1000000 + limit.tv_usec;

    errno = over ? EAGAIN : saved;
    return over;
}

bool wait_shut(sigset_t *ret_mask)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)real.pthread_sigmask(SIG_SETMASK, &all, ret_mask);
    if (atomic_load(&life->released) != LIFE_DELIVERED) {
        return true;
    }
    (void)real.pthread_sigmask(SIG_SETMASK, ret_mask, NULL);
    errno = EINTR;
    return false;
}

void wait_open(sigset_t *mask)
{
    int saved = errno;

    if (life_released()) {
        sigdisp_add_to_set(mask, atomic_load(&life->blocked)); /* what the release made real */
    }
    (void)real.pthread_sigmask(SIG_SETMASK, mask, NULL);
    errno = saved;
}

/*
 * The kernel wakes whoever joins a thread a moment before the thread leaves its process (exit_mm,
 * kernel/exit.c). The links of the folder are two more than its threads; hooks that hang stay.
 */
static void wait_until_alone(void)
{
    static _Atomic uint32_t never;
    struct stat st;

    for (int i = 0; i < ALONE_LOOKS && lstat("/proc/self/task", &st) == 0 && st.st_nlink > 3; i++) {
        life_sleep(&never, 0, ALONE_LOOK_NS);
    }
}

static void end_coordinator(void)
{
    life_post(LIFE_PAUSE);
    (void)pthread_join(coordinator, NULL);
    wait_until_alone();
    atomic_fetch_and(&life->events, ~(uint32_t)LIFE_PAUSE); /* it may have ended by itself */
    atomic_store(&life->retired, 0);
    atomic_store(&life->started, 0);
}

void safepoint_pause(void)
{
    bool exists = atomic_load(&life->started) || atomic_load(&life->retired);
    int saved = errno;

    if (life_armed() && !atomic_load(&life->threads) && exists) {
        end_coordinator();
        errno = saved;
    }
}

void safepoint_resume(void)
{
    if (life_armed() && !atomic_load(&life->threads) && life_draining() &&
        !atomic_load(&life->finished)) {
        (void)safepoint_start();
    }
}
