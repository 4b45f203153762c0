/* SPDX-License-Identifier: MIT */
/* Handlers that write down their runs. */
/* Context: the program that is compared; the handlers are AS-Safe. */
#include "handlers.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "allow.h"
#include "record.h"

enum { RUNS_MOST = 64 };

struct run {
    int64_t signo, code, sender, value;
    uint64_t mask; /* while it runs */
};

static struct run runs[RUNS_MOST];
static volatile sig_atomic_t runs_count;

int handlers_signal(uint32_t random)
{
    const int signals[] = {SIGTERM,  SIGINT,       SIGHUP,       SIGUSR1,     SIGUSR2,
                           SIGPIPE,  SIGQUIT,      SIGCHLD,      SIGWINCH,    SIGURG,
                           SIGTERM,  SIGINT,       SIGUSR1,      SIGIO,       SIGRTMIN,
                           SIGRTMAX, SIGRTMIN + 1, SIGRTMAX - 1, SIGRTMAX - 2};

    return signals[random % (sizeof signals / sizeof *signals)];
}

sigset_t handlers_set(uint32_t random)
{
    sigset_t set;

    sigemptyset(&set);
    if (random % 16 == 0)
        sigfillset(&set);
    for (uint32_t n = random / 16 % 5; n > 0 && random % 16 != 1; n--)
        sigaddset(&set, handlers_signal(random / 80 + n * 7919));
    sigdelset(&set, SIGALRM);
    return set;
}

uint64_t handlers_bits(const sigset_t *set)
{
    uint64_t bits = 0;

    memcpy(&bits, set, sizeof bits);
    return bits;
}

static int64_t sender_of(const siginfo_t *info)
{
    bool has_sender = info->si_code <= 0 && info->si_code != SI_TIMER;

    return !has_sender ? -1 : info->si_pid == getpid() ? 1 : info->si_pid == getppid() ? 2 : 3;
}

static struct run describe(const siginfo_t *info)
{
    struct run run = {.signo = info->si_signo, .code = info->si_code, .sender = sender_of(info)};

    run.value = info->si_code == SI_QUEUE                        ? info->si_value.sival_int
                : info->si_signo == SIGCHLD && info->si_code > 0 ? info->si_status
                                                                 : 0;
    return run;
}

void handlers_record_info(const siginfo_t *info)
{
    struct run run = describe(info);

    record_bytes("siginfo", &run, sizeof run);
}

static void write_down(struct run run)
{
    sigset_t mask;

    sigprocmask(SIG_BLOCK, NULL, &mask);
    run.mask = allow_mask(handlers_bits(&mask));
    if (runs_count < RUNS_MOST)
        runs[runs_count++] = run;
}

static void on_signal(int signo)
{
    int saved = errno;

    write_down((struct run){.signo = signo});
    errno = saved;
}

static void on_signal_info(int signo, siginfo_t *info, void *context)
{
    int saved = errno;
    struct run run = describe(info);

    run.signo = run.signo == signo && context ? signo : -1;
    write_down(run);
    errno = saved;
}

handlers_function handlers_choose(uint32_t random)
{
    switch (random % 8) {
    case 0:
    case 1:
        return SIG_DFL;
    case 2:
        return SIG_IGN;
    case 3:
    case 4:
        return (handlers_function)(void (*)(void))on_signal_info;
    default:
        return on_signal;
    }
}

int handlers_name(handlers_function handler)
{
    return handler == SIG_DFL                                             ? 0
           : handler == SIG_IGN                                           ? 1
           : handler == on_signal                                         ? 2
           : handler == (handlers_function)(void (*)(void))on_signal_info ? 3
                                                                          : 9;
}

static bool is_harmless(int signo)
{
    return signo == SIGCHLD || signo == SIGWINCH || signo == SIGURG || signo == SIGCONT;
}

bool handlers_is_safe(int signo)
{
    struct sigaction action;
    sigset_t mask;

    sigprocmask(SIG_BLOCK, NULL, &mask);
    return is_harmless(signo) || sigismember(&mask, signo) == 1 ||
           (sigaction(signo, NULL, &action) == 0 && action.sa_handler != SIG_DFL);
}

void handlers_flush(void)
{
    for (int i = 0; i < runs_count; i++) {
        record_quietly(&runs[i], sizeof runs[i]);
        record_line("    handler: signal %d, code %d, sender %d, value %d, mask %lx",
                    (int)runs[i].signo, (int)runs[i].code, (int)runs[i].sender, (int)runs[i].value,
                    (unsigned long)runs[i].mask);
    }
    runs_count = 0;
}
