/* SPDX-License-Identifier: MIT */
/* A call that a crash ends, in a thread that goes on. */
/* Context: while arming, in the program's thread; blocks as long as the hook does. */
#include "engine/hook_guard.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "engine/shim.h"

#define STACK   65536 /* of the handler, for an overflow of the program's */
#define SIGNALS 64

/* What the hook must not leave behind. */
struct before {
    stack_t stack;
    sigset_t mask;
    struct sigaction actions[SIGNALS + 1];
};

static bool is_to_be_managed(int signo)
{
    return (shim->settings->signals >> (signo - 1) & 1) != 0;
}

static void remember(struct before *before)
{
    (void)sigaltstack(NULL, &before->stack);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &before->mask);
    for (int signo = 1; signo <= SIGNALS; signo++) {
        if (is_to_be_managed(signo)) {
            (void)sigaction(signo, NULL, &before->actions[signo]);
        }
    }
}

static void put_back(const struct before *before)
{
    (void)sigaltstack(&before->stack, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before->mask, NULL);
    for (int signo = 1; signo <= SIGNALS; signo++) {
        if (is_to_be_managed(signo)) {
            (void)sigaction(signo, &before->actions[signo], NULL);
        }
    }
}

static void __attribute__((noreturn)) jump_back(struct crash_mark *mark)
{
    struct hook_guard *guard = (struct hook_guard *)mark; /* its first member */

    siglongjmp(guard->back, 1);
}

static bool call(struct hook_guard *guard, void (*body)(void *), void *argument)
{
    if (sigsetjmp(guard->back, 1) != 0) {
        return false;
    }
    shim->crash_enter(&guard->mark);
    body(argument);
    return true;
}

bool hook_guard_call(struct hook_guard *guard, const char *name, void (*body)(void *),
                     void *argument)
{
    stack_t stack = {.ss_sp = malloc(STACK), .ss_size = STACK};
    struct before before;

    guard->mark = (struct crash_mark){.name = name, .leave = jump_back};
    remember(&before);
    if (stack.ss_sp) {
        (void)sigaltstack(&stack, NULL);
    }
    shim->crash_guard(true);
    bool returned = call(guard, body, argument);

    shim->crash_enter(NULL);
    put_back(&before);
    shim->crash_guard(false);
    free(stack.ss_sp);
    return returned;
}
