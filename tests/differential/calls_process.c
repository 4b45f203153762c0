/* SPDX-License-Identifier: MIT */
/* Steps that make processes, wait for them, or become another program. */
/* Context: the program that is compared. */
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allow.h"
#include "calls.h"
#include "facts.h"
#include "guard.h"
#include "handlers.h"
#include "pool.h"

extern char **environ;

static long wait_by(uint32_t how, pid_t pid, int *ret_status)
{
    struct rusage usage;
    siginfo_t info = {0};
    long result;

    switch (how % 5) {
    case 0:
        return wait(ret_status);
    case 1:
        return wait3(ret_status, 0, &usage);
    case 2:
        return wait4(pid, ret_status, 0, &usage);
    case 3:
        result = waitid(P_PID, (id_t)pid, &info, WEXITED);
        *ret_status = info.si_status * 8 + info.si_code;
        return result == 0 ? pid : result;
    default:
        return waitpid(pid, ret_status, 0);
    }
}

/*
 * Until the child is gone: nobody may be left behind. The child writes into the record too, so what the
 * parent has seen of making it is recorded only now.
 */
static void await(const char *call, pid_t pid, int error, uint32_t how)
{
    int status = -7;

    if (pid < 0) {
        record_call(call, -1, error);
        return;
    }
    errno = RECORD_ERRNO;
    long result = wait_by(how, pid, &status);
    int wait_error = errno;

    for (long again = result; again == -1 && errno == EINTR;)
        again = waitpid(pid, &status, 0);
    record_call(call, 1, error);
    record_call("wait", result == pid ? 1 : result, wait_error);
    record_value("status", status);
}

void call_fork(const struct step *s)
{
    if (!calls_may_fork())
        return;
    errno = RECORD_ERRNO;
    pid_t pid = s->a % 4 ? fork() : _Fork();

    int error = errno;

    if (pid == 0) {
        calls_run_child(s->b);
        if (s->d % 8 == 0) {
            allow_in_child();
            execve("/proc/self/exe", calls_arguments(1 + s->b), environ);
        }
        _exit((int)(s->d % 200));
    }
    await("fork", pid, error, s->c);
}

static void die_of(int signo)
{
    sigset_t none, pending;

    sigemptyset(&none);
    allow_in_child();
    guard_install();
    do {
        sched_yield();
        sigpending(&pending);
    } while (sigismember(&pending, signo) != 1);
    TRY(sigsuspend(&none));
    handlers_flush();
    facts_record();
    _exit(3);
}

/* A master that stops its worker: both know when, since the worker has the signal blocked. */
void call_fork_kill(const struct step *s)
{
    allow_wait_with_mask(true);
    int signo = handlers_signal(s->a);
    sigset_t all, before;
    struct sigaction action;

    sigaction(signo, NULL, &action);
    if (!calls_may_fork() || action.sa_handler == SIG_IGN || signo == SIGCHLD || signo > SIGRTMIN)
        return;
    if (action.sa_handler == SIG_DFL && (signo == SIGWINCH || signo == SIGURG))
        return;
    sigfillset(&all);
    sigdelset(&all, SIGALRM);
    TRY(sigprocmask(SIG_SETMASK, &all, &before));
    errno = RECORD_ERRNO;
    pid_t pid = fork();

    int error = errno;

    if (pid == 0)
        die_of(signo);
    int sent = pid > 0 ? kill(pid, signo) : -1;

    await("fork", pid, error, s->b);
    record_value("kill", sent);
    TRY(sigprocmask(SIG_SETMASK, &before, NULL));
}

/* What a child does to its own descriptors, dispositions and mask may not reach its parent. */
static void act_in_vfork(const struct step *s)
{
    sigset_t set;

    if (s->b % 2)
        close(POOL_FIRST + (int)(s->c % POOL_END));
    if (s->b % 3 == 0)
        signal(SIGTERM, SIG_IGN);
    if (s->b % 5 == 0) {
        sigfillset(&set);
        sigprocmask(SIG_SETMASK, &set, NULL);
    }
    if (s->b % 4 == 0)
        dup2(POOL_FIRST, POOL_FIRST + (int)(s->d % (POOL_END - POOL_FIRST)));
}

void call_vfork(const struct step *s)
{
    char *arguments[] = {"true", NULL};

    errno = RECORD_ERRNO;
    pid_t pid = vfork();

    if (pid == 0) {
        act_in_vfork(s);
        if (s->a % 3 == 0)
            execve("/bin/true", arguments, environ);
        if (s->a % 3 == 1)
            execv("nowhere/f", arguments);
        _exit((int)(s->a % 100));
    }
    await("vfork", pid, errno, s->c);
}

/* This program again, for nothing but what it sees at its start. */
void call_spawn(const struct step *s)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t mask = handlers_set(s->a), defaults = handlers_set(s->b);
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    if (s->c % 2)
        posix_spawn_file_actions_addclose(&actions, POOL_FIRST + (int)(s->c % 20));
    if (s->c % 3 == 0)
        posix_spawn_file_actions_adddup2(&actions, POOL_FIRST, POOL_FIRST + (int)(s->d % 20));
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes,
                             (short)ONE_OF(s->d, 0, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF,
                                           POSIX_SPAWN_SETSIGMASK, POSIX_SPAWN_SETSIGDEF));
    int error = posix_spawn(&pid, s->c % 8 == 7 ? "nowhere/f" : "/proc/self/exe", &actions,
                            &attributes, calls_arguments(12), environ);

    await("posix_spawn", error == 0 ? pid : -1, error, s->c);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
}

void call_system(const struct step *s)
{
    static const char *const commands[] = {"exit 3", "kill -TERM $$", "kill -INT $$",
                                           "nowhere/f 2>/dev/null"};
    char line[32] = "";

    if (s->a % 2) {
        TRY(system(commands[s->b % 4]));
        return;
    }
    FILE *stream = popen("echo out; exit 2", "r");

    record_value("popen", stream != NULL);
    if (!stream)
        return;
    (void)!fgets(line, sizeof line, stream);
    record_bytes("line", line, strlen(line));
    record_value("pclose", pclose(stream));
}

void call_wait(const struct step *s)
{
    int status = -7;

    TRY(waitpid(ONE_OF(s->a, -1, 0, 1, -12345), &status, s->b % 4 == 0 ? 0x1000 : WNOHANG));
    record_value("status", status);
}

/* The process goes on with its next step, as a new program. */
void call_exec(const struct step *s)
{
    char **arguments = calls_arguments(0);

    if (s->a % 4 == 0)
        TRY(execve("nowhere/f", arguments, environ));
    if (s->a % 4 < 2)
        TRY(execv("/proc/self/exe", arguments));
    else
        TRY(execve("/proc/self/exe", arguments, environ));
}

void call_facts(const struct step *s)
{
    (void)s;
    facts_record_slow();
}
