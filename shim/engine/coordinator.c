/* SPDX-License-Identifier: MIT */
/* Turns events into steps of the state machine, and its states into deeds. */
/* Context: coordinator thread only; may allocate and block. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "engine/audience.h"
#include "engine/checkpoint.h"
#include "engine/coordinator.h"
#include "engine/drain.h"
#include "engine/family_hooks.h"
#include "engine/fsm.h"
#include "engine/hooks.h"
#include "engine/leaving.h"
#include "engine/live.h"
#include "engine/members.h"
#include "engine/publish.h"
#include "engine/record.h"
#include "engine/saving.h"
#include "engine/shim.h"
#include "engine/state_files.h"

#define FORCE_NS           200000000ll /* how long forced output may take to be acknowledged */
#define SWEEP_COST_MOST_NS 20000000ll
#define RESERVE_MOST_NS    1000000000ll
#define ORPHAN_LOOK_NS     100000000ll
#define ANSWERS_MOST_NS    500000000ll
#define FLUSH_LOOK_NS      2000000ll    /* how often that is looked at */
#define HOOKS_SLACK_NS     1000000000ll /* a member's own wake-ups, on a loaded machine */

static struct fsm fsm;
static struct record record;
static bool cleans;        /* this process runs the family's hooks and writes its checkpoint */
static int64_t look_at_ns; /* when the present state wants to be called again */
static int64_t save_at_ns; /* the next periodic checkpoint, in a threaded program; 0: not set yet */

void coordinator_init(void)
{
    struct fsm_limits limits = {.lame_duck = shim->settings->lame_duck,
                                .drain = shim->settings->drain_timeout,
                                .force = FORCE_NS,
                                .shutdown = shim->settings->shutdown_timeout};

    fsm_init(&fsm, &limits);
    atomic_store(&shim->life->phase, FLUX_PHASE_RUNNING);
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
    record.reason = members_is_told() ? "family" : "exit";
    record.exit_status = (int)atomic_load(&shim->life->exit_status);
    if (held) {
        record.reason = held->is_demand ? "demand" : "signal";
        record.began_ns = held->at_ns;
        record.refused_ns = held->refused_ns;
        record.signo = held->signo;
        record.si_code = held->info.si_code;
        record.sender_pid = held->info.si_pid;
        record.sender_uid = held->info.si_uid;
    }
}

/* A member that stays silent must not keep the rest from being seen. */
static void note_left(int64_t now, uint64_t left)
{
    if (members_have_answered() || now - record.began_ns > ANSWERS_MOST_NS) {
        curve_add(&record.curve, now - record.began_ns, left);
    }
}

/* What was forced is gone, whether the program has closed it or not. */
static void note_end_of_drain(int64_t now)
{
    bool was_forced =
        record.phase_count > 1 && record.phases[record.phase_count - 2].state == FSM_FORCE;
    struct curve *curve = &record.curve;

    if (curve->count > 0) {
        uint64_t left = was_forced ? 0 : curve->points[curve->count - 1].left;

        curve_end(curve, now - record.began_ns, left);
    }
}

/* What each state means ------------------------------------------------------------------------ */

static bool step(enum fsm_event event);

/* A member's siblings listen on the same sockets: it only takes itself out. */
static void leave_siblings(void)
{
    shim->refuse_own(true);
    shim->leave_listeners();
    shim->move_threads();
}

/* The handler has done it, unless there was a lame-duck time. */
static void refuse(void)
{
    if (members_is_told()) {
        return; /* its owner has refused */
    }
    if (!shim->family_leads()) {
        leave_siblings();
    } else if (record.refused_ns == 0) {
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
    uint32_t round = members_round();

    drain_sweep(now, deadline, fsm.limits.drain, &view);
    bool over = members_may_end(now, &view, round, &record, &view.next_ns);
    int64_t done = shim_now();

    not_before_ns = done + (done - now < SWEEP_COST_MOST_NS ? done - now : SWEEP_COST_MOST_NS);
    look_at_ns = view.next_ns;
    publish_left(view.left + members_left());
    note_left(now, view.left + members_left());
    live_show("draining", view.left, (deadline - now) / 1000000000 + 1);
    if (over) {
        (void)step(FSM_EMPTY);
    } else if (members_must_force()) {
        (void)step(FSM_SECOND);
    }
}

static void flush(int64_t now)
{
    look_at_ns = now + FLUSH_LOOK_NS;
    if (drain_flushed()) {
        members_done(&record);
        if (members_forced()) {
            (void)step(FSM_DONE);
        }
    }
}

/* Hooks that use up all their time leave some for the checkpoint and the release. */
static int64_t hooks_deadline(void)
{
    int64_t reserve = fsm.limits.shutdown / 10;

    return fsm_deadline(&fsm) - (reserve < RESERVE_MOST_NS ? reserve : RESERVE_MOST_NS);
}

/* The members run theirs meanwhile. */
static void run_all_hooks(int64_t now)
{
    int64_t deadline = hooks_deadline(), time = hooks_time_of_process();

    if (time > 0) {
        family_hooks_announce();
    }
    hooks_run(&record, HOOKS_ALL, deadline);
    if (time > 0) {
        time = now + time + HOOKS_SLACK_NS;
        family_hooks_await(time < deadline ? time : deadline);
    }
}

static void run_hooks(int64_t now)
{
    cleans = members_clean();
    if (cleans) {
        run_all_hooks(now);
    } else if (!shim->family_leads()) { /* else an exit has run them */
        hooks_run(&record, HOOKS_OF_PROCESS, hooks_deadline());
        family_hooks_done();
    }
    (void)step(FSM_DONE);
}

/* A member's own signal is not for its program before the owner's is. */
static void wait_for_owner(int64_t now)
{
    look_at_ns = now + ORPHAN_LOOK_NS;
    if (!members_must_wait()) {
        (void)step(FSM_DONE);
    }
}

static void write_checkpoint(int64_t now)
{
    if (cleans) {
        drain_account(&record);
        members_account(&record);
        if (record.curve.count > 0) {
            record.curve.points[0].left = record.connections.at_signal; /* the members', too */
        }
        publish_account(&record);
        state_files_account(&record);
        publish_saved(checkpoint_write(&record));
    }
    wait_for_owner(now);
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
    audience_end();
    atomic_store(&shim->life->finished, 1);
    shim->wake(&shim->life->finished);
}

static void release(void)
{
    if (!shim->held()) {
        audience_end();
        members_release();
        look_at_ns = shim_now(); /* a member that was told: its master will stop it, or has gone */
        return;
    }
    log_info("drained in %lld ms: the program gets its signal",
             (long long)((shim_now() - record.began_ns) / 1000000));
    members_release();
    block_all_signals();
    finish();
    shim->release();
}

/* A member that was told has no signal of its own: when its owner has ended, it gets one. */
static void look_for_owner(int64_t now)
{
    look_at_ns = now + ORPHAN_LOOK_NS;
    if (members_is_orphaned()) {
        coordinator_init();
        (void)kill(getpid(), SIGTERM);
    }
}

static void give_up(void)
{
    if (shim->held()) {
        shim->give_up(record.signo);
    } else {
        coordinator_init(); /* a member that nobody stops: it goes on */
        look_at_ns = FSM_NEVER;
    }
}

static void enter(int64_t now)
{
    note_phase(now);
    publish_state(&fsm, &record);
    if (fsm.state <= FSM_RELEASE || fsm.state == FSM_FINISHED) {
        audience_tell(&fsm, now);
    }
    live_clear();
    look_at_ns = FSM_NEVER;
    switch (fsm.state) {
    case FSM_REFUSE:
        refuse();
        (void)step(FSM_DONE);
        break;
    case FSM_DRAIN:
        if (members_is_told()) {
            shim->refuse_own(false);
            shim->note_family_refusal();
        }
        members_begin(record.began_ns);
        drain_begin(&record, now);
        curve_add(&record.curve, 0, record.connections.at_signal);
        watch(now);
        break;
    case FSM_FORCE:
        refuse(); /* a second signal can end the lame duck */
        (void)leaving_go_on(now, true);
        members_force();
        drain_force(&record);
        flush(now);
        break;
    case FSM_HOOKS:
        note_end_of_drain(now);
        run_hooks(now);
        break;
    case FSM_CHECKPOINT:
        write_checkpoint(now);
        break;
    case FSM_RELEASE:
        release();
        break;
    case FSM_GIVE_UP:
        give_up();
        break;
    case FSM_FINISHED:
        finish();
        break;
    default:
        break;
    }
}

/* FLUX_DRAIN_TIMEOUT, unless whoever asked for this stop has said otherwise. */
static int64_t drain_time(void)
{
    uint64_t wanted = shim->family_self() ? atomic_load(&(*shim->family)->drain_wanted) : 0;

    return wanted > 0 && wanted <= INT64_MAX ? (int64_t)wanted - 1 : shim->settings->drain_timeout;
}

/* A signal to the whole group reaches a member before its owner has told it: wait for that. */
static int64_t lame_duck(void)
{
    int64_t wanted = shim->settings->lame_duck;

    return shim->family_leads() || wanted > HOLD_ECHO_NS ? wanted : HOLD_ECHO_NS;
}

static bool step(enum fsm_event event)
{
    int64_t now = shim_now();
    bool first = fsm.state == FSM_RUNNING;

    if (first) {
        fsm.limits.drain = drain_time();
    }
    if (first && event == FSM_SIGNAL) {
        fsm.limits.lame_duck = lame_duck();
    }
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

    if (!atomic_load(&shim->life->threads) || fsm.state >= FSM_RELEASE ||
        atomic_load(&shim->life->released)) {
        return;
    }
    (void)sigemptyset(&open);
    if (atomic_load(shim->tell_signo) != 0) {
        (void)sigaddset(&open, atomic_load(shim->tell_signo));
    }
    for (int signo = 1; signo <= 64; signo++) {
        if (managed & (UINT64_C(1) << (signo - 1))) {
            (void)sigaddset(&open, signo);
        }
    }
    (void)pthread_sigmask(SIG_UNBLOCK, &open, NULL);
}

/* In a single-threaded program a timer says when (sigsafe/saving.h). */
static bool keeps_time(void)
{
    return shim->settings->checkpoint_interval > 0 && shim->settings->checkpoint[0] != '\0' &&
           atomic_load(&shim->life->threads) && fsm.state == FSM_RUNNING;
}

static void save_in_time(int64_t now)
{
    if (!keeps_time()) {
        return;
    }
    if (save_at_ns != 0 && now >= save_at_ns) {
        saving_write(&record, "periodic");
        now = shim_now();
        save_at_ns = 0;
    }
    save_at_ns = save_at_ns ? save_at_ns : now + shim->settings->checkpoint_interval;
}

/* Once it is written, a single-threaded program has no use for this thread. */
static void save_when_told(uint32_t events)
{
    if (!(events & (LIFE_TICK | LIFE_SAVE)) || fsm.state != FSM_RUNNING) {
        return;
    }
    saving_write(&record, events & LIFE_SAVE ? "request" : "periodic");
    atomic_store(&shim->life->retires, !atomic_load(&shim->life->threads));
}

static void take_events(uint32_t events)
{
    if (events & LIFE_THREADS) {
        open_managed_signals();
    }
    if ((events & LIFE_TOLD) && fsm.state == FSM_RELEASE) {
        members_excuse();
    } else if (events & LIFE_TOLD) {
        (void)step(FSM_TOLD);
    }
    if ((events & LIFE_STOP) && fsm.state == FSM_RELEASE) {
        release(); /* a member that was told, and is stopped now */
    } else if (events & LIFE_STOP) {
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
    save_when_told(events);
}

static void look(int64_t now)
{
    save_in_time(now);
    if (fsm.state == FSM_DRAIN) {
        audience_tell_again(&fsm, now);
        watch(now);
    } else if (fsm.state == FSM_FORCE && now >= look_at_ns) {
        flush(now);
    } else if (fsm.state == FSM_CHECKPOINT) {
        wait_for_owner(now);
    } else if (fsm.state == FSM_RELEASE && !shim->held() && now >= look_at_ns) {
        look_for_owner(now);
    }
}

static int64_t time_to_sleep(int64_t now)
{
    int64_t deadline = fsm_deadline(&fsm);
    int64_t until = look_at_ns < deadline ? look_at_ns : deadline;

    if (keeps_time() && save_at_ns < until) {
        until = save_at_ns;
    }
    if (fsm.state == FSM_DRAIN && audience_next_ns() < until) {
        until = audience_next_ns();
    }
    return until == FSM_NEVER ? -1 : until > now ? until - now : 0;
}

static bool is_over(void)
{
    return fsm.state == FSM_GIVE_UP || fsm.state == FSM_FINISHED;
}

void *coordinator_run(void *unused)
{
    _Atomic uint32_t *bell = shim->bell(), *events = &shim->life->events;
    static pid_t whose; /* what is inherited by fork is the parent's */

    (void)unused;
    if (whose != getpid()) {
        whose = getpid();
        drain_forget();
        members_forget();
        audience_forget();
        coordinator_init();
    }
    (void)prctl(PR_SET_NAME, "fluxshim");
    (void)unshare(CLONE_FS); /* keeps root, folder and umask: a program may chroot later */
    atomic_store(&shim->life->rooted, 1);
    shim->wake(&shim->life->rooted);
    block_all_signals();
    open_managed_signals();
    if (fsm.state == FSM_RUNNING) {
        look_at_ns = FSM_NEVER;
    }
    while (!is_over() && !atomic_load(&shim->life->retires)) {
        uint32_t rung = atomic_load(bell);
        uint32_t taken = atomic_exchange(events, 0);

        if (taken & LIFE_PAUSE) {
            audience_pause();
            atomic_fetch_or(events, taken & ~(uint32_t)LIFE_PAUSE);
            break;
        }
        take_events(taken);
        look(shim_now());
        int64_t ns = time_to_sleep(shim_now());

        if (ns != 0 && !is_over() && !atomic_load(&shim->life->retires)) {
            shim->sleep(bell, rung, ns);
        }
    }
    return NULL;
}
