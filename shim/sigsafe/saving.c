/* SPDX-License-Identifier: MIT */
/* Makes and stops the timer of the periodic checkpoint, and takes its ticks. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#include "sigsafe/family.h"
#include "sigsafe/life.h"
#include "sigsafe/log.h"
#include "sigsafe/real.h"
#include "sigsafe/saving.h"
#include "sigsafe/sigdisp.h"

static int64_t interval;  /* set while arming; inherited by fork */
static const char cookie; /* its address marks a tick */

/* timer_create(3) isn't async-signal-safe; the system call is. */
static bool timer_make(int signo)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signo};
    int timer = 0;

    event.sigev_value.sival_ptr = (void *)&cookie;
    bool made =
        real.syscall(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&timer, 0, 0, 0) == 0;

    life->save_timer = made ? timer + 1 : 0;
    return made;
}

static void timer_set(int64_t every_ns)
{
    struct timespec time = {.tv_sec = every_ns / 1000000000, .tv_nsec = every_ns % 1000000000};
    struct itimerspec when = {.it_value = time, .it_interval = time};

    (void)real.syscall(SYS_timer_settime, life->save_timer - 1, 0, (long)&when, 0, 0, 0);
}

static void begin(void)
{
    int signo = atomic_load(&sigdisp_tell);

    if (signo != 0 && timer_make(signo)) {
        timer_set(interval);
    } else {
        log_warn("no timer for the periodic checkpoint: it is written at the end only");
    }
}

void saving_install(int64_t interval_ns)
{
    interval = interval_ns;
    if (interval != 0 && !atomic_load(&life->threads)) {
        begin();
    }
}

FORK_PATH void saving_go_on_in_child(void)
{
    if (interval != 0) {
        begin();
    }
}

void saving_stop(void)
{
    static const struct timespec now;
    int signo = atomic_load(&sigdisp_tell);
    sigset_t one;

    if (life->save_timer == 0) {
        return;
    }
    timer_set(0);
    (void)sigemptyset(&one);
    (void)sigaddset(&one, signo);
    while (real.sigtimedwait(&one, NULL, &now) > 0) {
    }
}

bool saving_is_tick(const siginfo_t *info)
{
    return info->si_code == SI_TIMER && info->si_value.sival_ptr == (const void *)&cookie;
}

static bool post(uint32_t event)
{
    bool serves = life_armed() && !life_draining() && !life_released() && family_leads() &&
                  !atomic_load(&life->sandboxed);

    if (serves) {
        life_post(event);
    }
    return serves;
}

bool saving_request(void)
{
    return post(LIFE_SAVE);
}

/* Of the coordinator's own time in a threaded program a tick says nothing. */
bool saving_tick(void)
{
    if (!life_armed() || atomic_load(&life->threads)) {
        timer_set(0);
        return false;
    }
    return post(LIFE_TICK);
}
