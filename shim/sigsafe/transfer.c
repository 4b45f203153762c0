/* SPDX-License-Identifier: MIT */
/* Holds the result of a read or write against what the shim's handler has interrupted. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>

#include "sigsafe/safepoint.h"
#include "sigsafe/transfer.h"

static const char never_alone;

const char *alone_word = &never_alone;

static bool is_same(const struct context_call *one, uint32_t second, uint32_t third)
{
    return one->is_any || (one->second == second && one->third == third);
}

void transfer_visit(const void *context)
{
    struct context_call *visit = &life_thread.visit;
    struct context_call call = context_call(context);

    *visit = call;
}

/* Ask once: the same result of a later call is the program's. */
static bool take(uint32_t second, uint32_t third, long result)
{
    struct context_call *call = &life_thread.visit;

    if (!is_same(call, second, third) || !(call->is_any || call->result == result)) {
        return false;
    }
    call->result = 0;
    call->is_any = false;
    return atomic_load(&life->released) != LIFE_DELIVERED;
}

__attribute__((cold)) bool transfer_again(int64_t *since, int fd, int option, uint32_t second,
                                          uint32_t third)
{
    if (errno != EINTR || !take(second, third, -EINTR)) {
        return false;
    }
    errno = life_thread.claimed_errno;
    return !wait_is_over(since, fd, option);
}

__attribute__((cold)) bool transfer_was_cut(uint32_t second, uint32_t third, ssize_t n)
{
    return n > 0 && take(second, third, n) && !life_released();
}
