/* SPDX-License-Identifier: MIT */
/* Resolves the real calls: one loop, before any policy. */
/* Context: constructor, or the first wrapped call of a library that is initialised before us. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "sigsafe/real.h"

/* Until the table is resolved each entry is a stub that resolves it and tries again. */
#define R(ret, name, params, args)                                                                 \
    static ret first_##name params                                                                 \
    {                                                                                              \
        real_resolve();                                                                            \
        return real.name args;                                                                     \
    }
REAL_CALLS(R)
#undef R

static pid_t first_vfork(void)
{
    real_resolve();
    return real.fork();
}

static void __attribute__((noreturn)) first_exit(int status)
{
    real_resolve();
    real._exit(status);
}

static void __attribute__((noreturn)) first_exit_program(int status)
{
    real_resolve();
    real.exit_program(status);
}

static void __attribute__((noreturn)) first_exit_quickly(int status)
{
    real_resolve();
    real.exit_quickly(status);
}

static void __attribute__((noreturn)) first_abort_program(void)
{
    real_resolve();
    real.abort_program();
}

static void __attribute__((noreturn)) first_pthread_exit(void *result)
{
    real_resolve();
    real.pthread_exit(result);
}

static void first_closefrom(int low)
{
    real_resolve();
    real.closefrom(low);
}

struct real_calls real = {
#define R(ret, name, params, args) .name = first_##name,
    REAL_CALLS(R)
#undef R
        .vfork = first_vfork,
    ._exit = first_exit,
    .exit_program = first_exit_program,
    .exit_quickly = first_exit_quickly,
    .abort_program = first_abort_program,
    .pthread_exit = first_pthread_exit,
    .closefrom = first_closefrom,
};

/* What a name that this libc lacks does. Callers pass more arguments than it takes: harmless. */
static long missing_call(void)
{
    errno = ENOSYS;
    return -1;
}

struct real_row {
    const char *name;
    size_t offset;
};

static const struct real_row rows[] = {
#define R(ret, call, params, args) {#call, offsetof(struct real_calls, call)},
    REAL_CALLS(R)
#undef R
        {"vfork", offsetof(struct real_calls, vfork)},
    {"_exit", offsetof(struct real_calls, _exit)},
    {"exit", offsetof(struct real_calls, exit_program)},
    {"quick_exit", offsetof(struct real_calls, exit_quickly)},
    {"abort", offsetof(struct real_calls, abort_program)},
    {"pthread_exit", offsetof(struct real_calls, pthread_exit)},
    {"closefrom", offsetof(struct real_calls, closefrom)},
};

void real_resolve(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *found = dlsym(RTLD_NEXT, rows[i].name);
        void **slot = (void **)((char *)&real + rows[i].offset);

        *slot = found ? found : (void *)missing_call;
    }
}
