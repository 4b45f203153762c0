/* SPDX-License-Identifier: MIT */
/* The state machine of a shutdown as one table. */
/* Context: AS-Safe, MT-Safe race:fsm, never blocks. */
#include "engine/fsm.h"

/*
 * Where each event leads. No edge leads back to RUNNING, so what isn't named (0) leads nowhere.
 * FSM_TICK counts only past the deadline.
 */
#define STAY FSM_RUNNING

static const enum fsm_state next[FSM_STATES][FSM_EVENTS] = {
    [FSM_RUNNING] = {[FSM_SIGNAL] = FSM_LAME_DUCK, [FSM_TOLD] = FSM_DRAIN, [FSM_EXIT] = FSM_HOOKS},
    [FSM_LAME_DUCK] = {[FSM_TICK] = FSM_REFUSE,
                       [FSM_TOLD] = FSM_DRAIN,
                       [FSM_SECOND] = FSM_FORCE,
                       [FSM_EXIT] = FSM_HOOKS},
    [FSM_REFUSE] = {[FSM_TICK] = FSM_DRAIN,
                    [FSM_DONE] = FSM_DRAIN,
                    [FSM_SECOND] = FSM_FORCE,
                    [FSM_EXIT] = FSM_HOOKS},
    [FSM_DRAIN] = {[FSM_TICK] = FSM_FORCE,
                   [FSM_EMPTY] = FSM_HOOKS,
                   [FSM_SECOND] = FSM_FORCE,
                   [FSM_EXIT] = FSM_HOOKS},
    [FSM_FORCE] = {[FSM_TICK] = FSM_HOOKS, [FSM_DONE] = FSM_HOOKS, [FSM_EXIT] = FSM_HOOKS},
    [FSM_HOOKS] = {[FSM_TICK] = FSM_CHECKPOINT, [FSM_DONE] = FSM_CHECKPOINT},
    [FSM_CHECKPOINT] = {[FSM_TICK] = FSM_RELEASE, [FSM_DONE] = FSM_RELEASE},
    [FSM_RELEASE] = {[FSM_TICK] = FSM_GIVE_UP},
};

static int64_t later(int64_t from, int64_t by)
{
    return by > FSM_NEVER - from ? FSM_NEVER : from + by;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void fsm_init(struct fsm *fsm, const struct fsm_limits *limits)
{
    *fsm = (struct fsm){.limits = *limits, .state = FSM_RUNNING};
}

int64_t fsm_deadline(const struct fsm *fsm)
{
    int64_t end = later(fsm->began, fsm->limits.shutdown);

    switch (fsm->state) {
    case FSM_LAME_DUCK:
        return sooner(later(fsm->entered, fsm->limits.lame_duck), end);
    case FSM_REFUSE:
    case FSM_DRAIN: /* counted from the refusal: a lame duck's time is no time to drain */
        return sooner(later(later(fsm->began, fsm->limits.lame_duck), fsm->limits.drain), end);
    case FSM_FORCE:
        return sooner(later(fsm->entered, fsm->limits.force), end);
    case FSM_HOOKS:
    case FSM_CHECKPOINT:
    case FSM_RELEASE:
        return end;
    default:
        return FSM_NEVER;
    }
}

static void enter(struct fsm *fsm, enum fsm_state state, int64_t now)
{
    if (fsm->state == FSM_RUNNING) {
        fsm->began = now;
    }
    fsm->state = state == FSM_RELEASE && fsm->exiting ? FSM_FINISHED : state;
    fsm->entered = now;
}

bool fsm_step(struct fsm *fsm, enum fsm_event event, int64_t now)
{
    if (event == FSM_TICK && now < fsm_deadline(fsm)) {
        return false;
    }
    if (event == FSM_EXIT && fsm->state < FSM_RELEASE) {
        fsm->exiting = true;
    }
    enum fsm_state to = next[fsm->state][event];

    if (to == STAY) {
        return false;
    }
    enter(fsm, to, now);
    return true;
}

const char *fsm_name(enum fsm_state state)
{
    static const char *const names[FSM_STATES] = {
        [FSM_RUNNING] = "running",       [FSM_LAME_DUCK] = "lame-duck", [FSM_REFUSE] = "refuse",
        [FSM_DRAIN] = "drain",           [FSM_FORCE] = "force",         [FSM_HOOKS] = "hooks",
        [FSM_CHECKPOINT] = "checkpoint", [FSM_RELEASE] = "release",     [FSM_GIVE_UP] = "give-up",
        [FSM_FINISHED] = "finished",
    };

    return state < FSM_STATES && names[state] ? names[state] : "unknown";
}
