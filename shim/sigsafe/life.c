/* SPDX-License-Identifier: MIT */
/* The wiped page, its clock and its bell. */
/* Context: AS-Safe, MT-Safe; life_sleep blocks, for the coordinator and for a thread that exits. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sigsafe/direct.h"
#include "sigsafe/life.h"
#include "sigsafe/real.h"

static struct life unarmed;

struct life *life = &unarmed;
_Thread_local struct life_thread life_thread;

int life_map_page(void)
{
    if (life != &unarmed) {
        return 0; /* a child that arms reuses the page that the fork wiped */
    }
    void *page =
        mmap(NULL, sizeof(struct life), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        return -errno;
    }
    if (madvise(page, sizeof(struct life), MADV_WIPEONFORK) != 0) {
        int error = errno;

        (void)munmap(page, sizeof(struct life));
        return -error;
    }
    ((struct life *)page)->work = unarmed.work;
    ((struct life *)page)->threads = unarmed.threads;
    life = page;
    return 0;
}

bool life_is_elsewhere(void)
{
    return direct_call(SYS_getpid, 0, 0, 0) != life->pid;
}

void life_sleep(_Atomic uint32_t *word, uint32_t seen, int64_t ns)
{
    struct timespec limit = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    (void)real.syscall(SYS_futex, (long)word, FUTEX_WAIT, seen, ns < 0 ? 0 : (long)&limit, 0, 0);
}

void life_wake(_Atomic uint32_t *word)
{
    (void)real.syscall(SYS_futex, (long)word, FUTEX_WAKE, INT_MAX, 0, 0, 0);
}

void life_ring(void)
{
    int saved = errno;

    atomic_fetch_add_explicit(life_bell(), 1, memory_order_release);
    life_wake(life_bell());
    errno = saved;
}

void life_post(uint32_t events)
{
    atomic_fetch_or_explicit(&life->events, events, memory_order_release);
    life_ring();
}

int64_t life_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}
