/* SPDX-License-Identifier: MIT */
/* Keeps steps from doing what is meant to differ. */
/* Context: the program that is compared. */
#include "allow.h"

#include <time.h>

#include "calls.h"

static bool armed, member, waits_with_mask;
static uint64_t maybe_families; /* signals that the shim may have taken for the family */

static uint64_t bit(int signo)
{
    return UINT64_C(1) << (signo - 1);
}

static bool is_free(int signo, const sigset_t *blocked)
{
    struct sigaction action;

    return sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_DFL &&
           (!blocked || sigismember(blocked, signo) == 0);
}

/* As the shim chooses (tell.c): the highest below SIGRTMAX that is free and open, else blocked. */
static void guess_families(void)
{
    sigset_t blocked;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int pass = 0; pass < 2; pass++) {
        for (int signo = SIGRTMAX - 1; signo > SIGRTMIN; signo--) {
            if (is_free(signo, pass == 0 ? &blocked : NULL)) {
                maybe_families |= bit(signo);
                return;
            }
        }
    }
}

void allow_arming(void)
{
    static const struct timespec now;
    sigset_t managed;

    sigemptyset(&managed);
    sigaddset(&managed, SIGTERM);
    sigaddset(&managed, SIGINT);
    while (TRY(sigtimedwait(&managed, NULL, &now)) > 0) {
    }
    guess_families();
    armed = true;
    member = false;
}

bool allow_is_armed(void)
{
    return armed;
}

void allow_in_child(void)
{
    member = member || armed;
}

void allow_after_exec(void)
{
    armed = true;
    member = false;
    maybe_families = ~UINT64_C(0) << (SIGRTMIN - 1);
}

void allow_wait_with_mask(bool waits)
{
    waits_with_mask = waits;
}

uint64_t allow_blocked(uint64_t mask)
{
    return mask & ~maybe_families;
}

uint64_t allow_mask(uint64_t mask)
{
    uint64_t virtual = waits_with_mask && armed ? bit(SIGTERM) | bit(SIGINT) : 0;

    return allow_blocked(mask) & ~virtual;
}

static bool is_ignored(int signo)
{
    struct sigaction action;

    return sigaction(signo, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int allow_signal(int signo)
{
    bool managed = signo == SIGTERM || signo == SIGINT;
    bool stops = armed && managed && (!member || is_ignored(signo));

    return stops || (maybe_families & bit(signo)) ? SIGUSR1 : signo;
}
