/* SPDX-License-Identifier: MIT */
/* Receivers of signals that are not handlers: waiting threads, and reads of a signalfd. */
#define _GNU_SOURCE 1
#include "sigwaiters.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "siginstall.h"
#include "stop.h"
#include "util.h"

enum { TIMEDWAIT_MS = 200 };

void *wait_in_sigwait(void *unused)
{
    sigset_t set;
    int signo;

    siginstall_fill(&set);
    for (;;) {
        if (sigwait(&set, &signo) == 0)
            stop_record(signo, NULL);
        stop_check();
    }
    return unused;
}

void *wait_in_sigwaitinfo(void *unused)
{
    sigset_t set;
    siginfo_t info;

    siginstall_fill(&set);
    for (;;) {
        int signo = sigwaitinfo(&set, &info);
        if (signo > 0)
            stop_record(signo, &info);
        stop_interrupted();
    }
    return unused;
}

void take_by_sigtimedwait(long timeout_ms)
{
    struct timespec timeout = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000};
    sigset_t set;
    siginfo_t info;

    siginstall_fill(&set);
    int signo = sigtimedwait(&set, &info, &timeout);
    if (signo > 0)
        stop_record(signo, &info);
    else if (errno == EINTR)
        stop_interrupted();
    stop_check();
}

void *wait_in_sigtimedwait(void *unused)
{
    for (;;)
        take_by_sigtimedwait(TIMEDWAIT_MS);
    return unused;
}

/* False if nothing was there, errno says why. */
static bool read_signalfd(int fd)
{
    struct signalfd_siginfo got;

    if (read(fd, &got, sizeof got) != (ssize_t)sizeof got)
        return false;
    siginfo_t info = {.si_code = got.ssi_code};
    info.si_pid = (pid_t)got.ssi_pid;
    info.si_uid = got.ssi_uid;
    stop_record((int)got.ssi_signo, &info);
    return true;
}

void take_from_signalfd(int fd)
{
    if (!read_signalfd(fd) && errno == EINTR)
        stop_interrupted();
    stop_check();
}

void *wait_in_signalfd(void *unused)
{
    sigset_t set;

    siginstall_fill(&set);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (fd < 0)
        die("signalfd");
    for (;;)
        take_from_signalfd(fd);
    return unused;
}
