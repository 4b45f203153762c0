/* SPDX-License-Identifier: MIT */
/* exec, spawn, system, popen: another program inherits the mask that this one believes it has. */
/* Context: AS-Safe where the call is, MT-Safe. */
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sigsafe/crash.h"
#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/real.h"
#include "sigsafe/refuse.h"
#include "sigsafe/relisten.h"
#include "sigsafe/sigdisp.h"
#include "sigsafe/signalfds.h"
#include "wrap/inherit.h"
#include "wrap/wrap.h"

/*
 * Block in the kernel what the program believes blocked, as far as that isn't so already. Handlers
 * become SIG_DFL by exec, as they would bare. Returns what has to be undone afterwards.
 */
static uint64_t mask_becomes_real(void)
{
    bool is_virtual =
        life_thread.owns_masks && atomic_load(&life->armed) && atomic_load(&life->masks_virtual);
    uint64_t blocked = is_virtual && !life_thread.vfork_masked ? atomic_load(&life->blocked) : 0;
    sigset_t set;

    if (blocked) {
        (void)sigemptyset(&set);
        sigdisp_add_to_set(&set, blocked);
        (void)real.pthread_sigmask(SIG_BLOCK, &set, NULL);
    }
    return blocked;
}

static void mask_is_virtual_again(uint64_t blocked)
{
    int saved = errno;
    sigset_t set;

    if (blocked && atomic_load(&life->masks_virtual)) {
        (void)sigemptyset(&set);
        sigdisp_add_to_set(&set, blocked);
        (void)real.pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    }
    errno = saved;
}

static uint64_t before_exec(void)
{
    crash_called("exec", -1);
    int saved = errno;

    if (family_self() && !life_thread.in_vfork) {
        family_before_exec(inherit_by_exec());
    }
    if (refuse_is_on() && !life_thread.in_vfork) {
        relisten_all(); /* a reload: the next program serves on */
    }
    if (life_armed() && !life_released()) {
        signalfds_make_real(); /* the next program knows nothing of those that it inherits */
    }
    errno = saved;
    return mask_becomes_real();
}

static int exec_failed(uint64_t blocked, const struct family_environment *environment)
{
    int saved = errno;

    if (!life_thread.in_vfork) {
        family_exec_failed();
    }
    if (life_armed() && !life_released()) {
        signalfds_strip();
    }
    family_environment_free(environment);
    errno = saved;
    mask_is_virtual_again(blocked);
    return -1;
}

WRAP int execve(const char *path, char *const argv[], char *const env[])
{
    struct family_environment environment = family_environment_of(env);
    uint64_t blocked = before_exec();

    (void)real.execve(path, argv, environment.entries);
    return exec_failed(blocked, &environment);
}

WRAP int execv(const char *path, char *const argv[])
{
    return execve(path, argv, environ);
}

WRAP int execvpe(const char *file, char *const argv[], char *const env[])
{
    struct family_environment environment = family_environment_of(env);
    uint64_t blocked = before_exec();

    (void)real.execvpe(file, argv, environment.entries);
    return exec_failed(blocked, &environment);
}

WRAP int execvp(const char *file, char *const argv[])
{
    return execvpe(file, argv, environ);
}

WRAP int fexecve(int fd, char *const argv[], char *const env[])
{
    struct family_environment environment = family_environment_of(env);
    uint64_t blocked = before_exec();

    (void)real.fexecve(fd, argv, environment.entries);
    return exec_failed(blocked, &environment);
}

WRAP int execveat(int dir, const char *path, char *const argv[], char *const env[], int flags)
{
    struct family_environment environment = family_environment_of(env);
    uint64_t blocked = before_exec();

    (void)real.execveat(dir, path, argv, environment.entries, flags);
    return exec_failed(blocked, &environment);
}

static size_t count_arguments(va_list args)
{
    size_t count = 1;

    while (va_arg(args, const char *)) {
        count++;
    }
    return count;
}

/* The variadic forms: `argv` gets the first argument, the rest and the final NULL. */
#define COLLECT_ARGUMENTS(argv, first, args)                                                       \
    va_list counted_;                                                                              \
    va_start(args, first);                                                                         \
    va_copy(counted_, args);                                                                       \
    size_t count_ = (first) ? count_arguments(counted_) : 0;                                       \
    va_end(counted_);                                                                              \
    char *argv[count_ + 1];                                                                        \
    argv[0] = (char *)(first);                                                                     \
    for (size_t i_ = 1; i_ <= count_; i_++) {                                                      \
        argv[i_] = va_arg(args, char *);                                                           \
    }

WRAP int execl(const char *path, const char *first, ...)
{
    va_list args;
    COLLECT_ARGUMENTS(argv, first, args)

    va_end(args);
    return execve(path, argv, environ);
}

WRAP int execlp(const char *file, const char *first, ...)
{
    va_list args;
    COLLECT_ARGUMENTS(argv, first, args)

    va_end(args);
    return execvpe(file, argv, environ);
}

WRAP int execle(const char *path, const char *first, ...)
{
    va_list args;
    COLLECT_ARGUMENTS(argv, first, args)
    char *const *env = va_arg(args, char *const *);

    va_end(args);
    return execve(path, argv, env);
}

/* Children that libc makes itself ------------------------------------------------------------- */

static void spawned(bool well, pid_t child, pid_t *ret_pid)
{
    if (well && ret_pid) {
        *ret_pid = child;
    }
    if (well) {
        inherit_note_child(child);
    }
}

WRAP int posix_spawn(pid_t *restrict pid, const char *restrict path,
                     const posix_spawn_file_actions_t *restrict actions,
                     const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                     char *const env[restrict])
{
    uint64_t blocked = mask_becomes_real();
    pid_t child = 0;
    int error = real.posix_spawn(&child, path, actions, attributes, argv, env);

    spawned(error == 0, child, pid);
    mask_is_virtual_again(blocked);
    return error;
}

WRAP int posix_spawnp(pid_t *restrict pid, const char *restrict file,
                      const posix_spawn_file_actions_t *restrict actions,
                      const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
                      char *const env[restrict])
{
    uint64_t blocked = mask_becomes_real();
    pid_t child = 0;
    int error = real.posix_spawnp(&child, file, actions, attributes, argv, env);

    spawned(error == 0, child, pid);
    mask_is_virtual_again(blocked);
    return error;
}

WRAP int system(const char *command)
{
    uint64_t blocked = mask_becomes_real();
    int status = real.system(command);

    mask_is_virtual_again(blocked);
    return status;
}

WRAP FILE *popen(const char *command, const char *mode)
{
    uint64_t blocked = mask_becomes_real();
    FILE *stream = real.popen(command, mode);

    mask_is_virtual_again(blocked);
    return stream;
}

/* What is written between a fork and the child's end costs a copy of its page: errno, too. */
FORK_PATH static void after_fork(pid_t pid)
{
    int saved = errno;

    family_after_fork(pid);
    if (errno != saved) {
        errno = saved;
    }
}

/* The handlers that boot/atfork.c registers don't learn the child's pid. */
FORK_PATH WRAP pid_t fork(void)
{
    life_thread.fork_wrapped = 1;
    pid_t pid = real.fork();

    if (pid != 0) {
        after_fork(pid);
    }
    return pid;
}

/* It runs no such handlers. */
WRAP pid_t _Fork(void)
{
    life_gate.before_fork();
    pid_t pid = real._Fork();

    if (pid == 0) {
        life_gate.in_child();
    } else {
        life_gate.in_parent();
        after_fork(pid);
    }
    return pid;
}
