/* SPDX-License-Identifier: MIT */
/* The stop of a test server: what signal asked for it, and the hard end that follows. */
#define _GNU_SOURCE 1
#include "stop.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "options.h"
#include "readback.h"
#include "util.h"

static struct {
    int signo;
    bool has_info;
    int code;
    pid_t pid;
    uid_t uid;
} report; /* written by the one who claimed it, before `recorded` is set */

static atomic_bool claimed, recorded, finishing;
static atomic_int interruptions;

void stop_record(int signo, const siginfo_t *info)
{
    if (atomic_exchange(&claimed, true))
        return;
    report.signo = signo;
    if (info) {
        report.has_info = true;
        report.code = info->si_code;
        report.pid = info->si_pid;
        report.uid = info->si_uid;
    }
    atomic_store(&recorded, true);
}

static void print_report(void)
{
    if (report.has_info)
        say("signal %d code %d pid %d uid %u", report.signo, report.code, report.pid, report.uid);
    else
        say("signal %d", report.signo);
    readback_print_captured();
    readback_print("exit");
    if (opt.count_eintr)
        say("eintr %d", atomic_load(&interruptions));
}

/* Several threads may notice the stop: one tells it, the others wait to be ended with it. */
static void print_report_once(void)
{
    if (atomic_exchange(&finishing, true))
        for (;;)
            pause();
    print_report();
}

void stop_check(void)
{
    if (!atomic_load(&recorded))
        return;
    print_report_once();
    exit(EXIT_STOPPED);
}

void stop_interrupted(void)
{
    stop_check();
    atomic_fetch_add(&interruptions, 1);
}

void stop_finish_in_handler(void)
{
    print_report_once();
    _exit(EXIT_STOPPED);
}
