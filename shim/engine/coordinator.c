/* SPDX-License-Identifier: MIT */
/* Turns events into steps of the state machine, and its states into deeds. */
/* Context: coordinator thread only; may allocate and block. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "engine/checkpoint.h"
#include "engine/coordinator.h"
#include "engine/drain.h"
#include "engine/fsm.h"
#include "engine/hooks.h"
#include "engine/live.h"
#include "engine/record.h"
#include "engine/shim.h"

#define FORCE_NS           200000000ll /* how long forced output may take to be acknowledged */
#define SWEEP_COST_MOST_NS 20000000ll
#define RESERVE_MOST_NS    1000000000ll
#define FLUSH_LOOK_NS      2000000ll /* how often that is looked at */

static struct fsm fsm;
static struct record record;
static int64_t look_at_ns; /* when the present state wants to be called again */

void coordinator_init(void)
{
    struct fsm_limits limits = {.lame_duck = shim->settings->lame_duck,
                                .drain = shim->settings->drain_timeout,
                                .force = FORCE_NS,
                                .shutdown = shim->settings->shutdown_timeout};

    fsm_init(&fsm, &limits);
    if (record.reason) { /* large: not touched before it is needed */
        memset(&record, 0, sizeof(record));
    }
}

/* The record ----------------------------------------------------------------------------------- */

static void note_phase(int64_t now)
{
    if (record.phase_count > 0) {
        record.phases[record.phase_count - 1].ended_ns = now;
    }
    if (record.phase_count < RECORD_PHASES && fsm.state < FSM_RELEASE) {
        record.phases[record.phase_count++] =
            (struct record_phase){.state = fsm.state, .began_ns = now};
    }
}

static void note_reason(int64_t now)
{
    const struct held_signal *held = shim->held();

    (void)clock_gettime(CLOCK_REALTIME, &record.started_at);
    record.began_ns = now;
    record.reason = "exit";
    record.exit_status = (int)atomic_load(&shim->life->exit_status);
    if (held) {
        record.reason = "signal";
        record.began_ns = held->at_ns;
        record.refused_ns = held->refused_ns;
        record.signo = held->signo;
        record.si_code = held->info.si_code;
        record.sender_pid = held->info.si_pid;
        record.sender_uid = held->info.si_uid;
    }
}

/* What each state means ------------------------------------------------------------------------ */

static bool step(enum fsm_event event);

/* The handler has done it, unless there was a lame-duck time. */
static void refuse(void)
{
    if (record.refused_ns == 0) {
        shim->refuse_all();
        record.refused_ns = shim_now();
    }
}

static void watch(int64_t now)
{
    static int64_t not_before_ns; /* closes ring the bell: a sweep for each would be too many */
    struct drain_view view;
    int64_t deadline = fsm_deadline(&fsm);

    if (now < not_before_ns) {
        look_at_ns = not_before_ns;
        return;
    }
    drain_sweep(now, deadline, fsm.limits.drain, &view);
    int64_t done = shim_now();

    not_before_ns = done + (done - now < SWEEP_COST_MOST_NS ? done - now : SWEEP_COST_MOST_NS);
    look_at_ns = view.next_ns;
    live_show("draining", view.left, (deadline - now) / 1000000000 + 1);
    if (view.empty) {
        (void)step(FSM_EMPTY);
    }
}

static void flush(int64_t now)
{
    look_at_ns = now + FLUSH_LOOK_NS;
    if (drain_flushed()) {
        (void)step(FSM_DONE);
    }
}

/* Hooks that use up all their time leave some for the checkpoint and the release. */
static void run_hooks(void)
{
    int64_t reserve = fsm.limits.shutdown / 10;

    reserve = reserve < RESERVE_MOST_NS ? reserve : RESERVE_MOST_NS;
    hooks_run(&record, shim->settings->hook_timeout, fsm_deadline(&fsm) - reserve);
    (void)step(FSM_DONE);
}

static void write_checkpoint(void)
{
    drain_account(&record);
    (void)checkpoint_write(&record);
    (void)step(FSM_DONE);
}

static void block_all_signals(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, NULL);
}

/* From here on the program ends itself, and nobody waits for us any more. */
static void finish(void)
{
    atomic_store(&shim->life->finished, 1);
    shim->wake(&shim->life->finished);
}

static void release(void)
{
    log_info("drained in %lld ms: the program gets its signal",
             (long long)((shim_now() - record.began_ns) / 1000000));
    block_all_signals();
    finish();
    shim->release();
}

static void enter(int64_t now)
{
    note_phase(now);
    live_clear();
    look_at_ns = FSM_NEVER;
    switch (fsm.state) {
    case FSM_REFUSE:
        refuse();
        (void)step(FSM_DONE);
        break;
    case FSM_DRAIN:
        drain_begin(&record, now);
        watch(now);
        break;
    case FSM_FORCE:
        refuse(); /* a second signal can end the lame duck */
        drain_force(&record);
        flush(now);
        break;
    case FSM_HOOKS:
        run_hooks();
        break;
    case FSM_CHECKPOINT:
        write_checkpoint();
        break;
    case FSM_RELEASE:
        release();
        break;
    case FSM_GIVE_UP:
        shim->give_up(record.signo);
        break;
    case FSM_FINISHED:
        finish();
        break;
    default:
        break;
    }
}

static bool step(enum fsm_event event)
{
    int64_t now = shim_now();
    bool first = fsm.state == FSM_RUNNING;

    if (!fsm_step(&fsm, event, now)) {
        return false;
    }
    if (first) {
        note_reason(now);
        fsm.began = record.began_ns;
    }
    log_debug("state: %s", fsm_name(fsm.state));
    enter(now);
    return true;
}

/* What has happened ---------------------------------------------------------------------------- */

/* The program has threads now: any of them may block the signal, so it must be open here. */
static void open_managed_signals(void)
{
    uint64_t managed = atomic_load(&shim->life->managed);
    sigset_t open;

    if (!atomic_load(shim->threads) || fsm.state >= FSM_RELEASE) {
        return;
    }
    (void)sigemptyset(&open);
    for (int signo = 1; signo <= 64; signo++) {
        if (managed & (UINT64_C(1) << (signo - 1))) {
            (void)sigaddset(&open, signo);
        }
    }
    (void)pthread_sigmask(SIG_UNBLOCK, &open, NULL);
}

static void take_events(uint32_t events)
{
    if (events & LIFE_THREADS) {
        open_managed_signals();
    }
    if (events & LIFE_STOP) {
        (void)step(FSM_SIGNAL);
    }
    if (events & LIFE_SECOND) {
        record.second_signal = true;
        (void)step(FSM_SECOND);
    }
    if (events & LIFE_EXIT) {
        (void)step(FSM_EXIT);
    }
    (void)step(FSM_TICK);
}

static void look(int64_t now)
{
    if (fsm.state == FSM_DRAIN) {
        watch(now);
    } else if (fsm.state == FSM_FORCE && now >= look_at_ns) {
        flush(now);
    }
}

static int64_t time_to_sleep(int64_t now)
{
    int64_t deadline = fsm_deadline(&fsm);
    int64_t until = look_at_ns < deadline ? look_at_ns : deadline;

    return until == FSM_NEVER ? -1 : until > now ? until - now : 0;
}

static bool is_over(void)
{
    return fsm.state == FSM_GIVE_UP || fsm.state == FSM_FINISHED;
}

void *coordinator_run(void *unused)
{
    _Atomic uint32_t *bell = &shim->life->bell, *events = &shim->life->events;

    (void)unused;
    (void)prctl(PR_SET_NAME, "fluxshim");
    (void)unshare(CLONE_FS); /* keeps root, folder and umask: a program may chroot later */
    block_all_signals();
    open_managed_signals();
    if (fsm.state == FSM_RUNNING) {
        look_at_ns = FSM_NEVER;
    }
    while (!is_over()) {
        uint32_t rung = atomic_load(bell);
        uint32_t taken = atomic_exchange(events, 0);

        if (taken & LIFE_PAUSE) {
            atomic_fetch_or(events, taken & ~(uint32_t)LIFE_PAUSE);
            break;
        }
        take_events(taken);
        look(shim_now());
        int64_t ns = time_to_sleep(shim_now());

        if (ns != 0 && !is_over()) {
            shim->sleep(bell, rung, ns);
        }
    }
    return NULL;
}
