/* SPDX-License-Identifier: MIT */
/* The state machine of a shutdown: pure, no clock and no I/O of its own. */
/* Context: AS-Safe, MT-Safe race:fsm, never blocks. */

/*
 *                         ┌───────────────── second signal ─────────────────┐
 *                         │            │            │                       ▼
 *  RUNNING ──signal──► LAME_DUCK ──► REFUSE ──► DRAIN ──deadline──► FORCE ──► HOOKS
 *     │                (deadline)    (done)       │                 (done)     │ done, deadline
 *     │                                           └──────empty─────────────────┤
 *     └──exit──► HOOKS                                                         ▼
 *                                                                         CHECKPOINT
 *                             reason exit ──► FINISHED ◄── done, deadline ──┤
 *                                                                           └──► RELEASE ──►
 * GIVE_UP (shutdown deadline)
 *
 * The owner calls fsm_step() with what has happened and the time; if the state changed it does
 * what the new state means. fsm_deadline() says when FSM_TICK is due. An exit by the program
 * itself during a shutdown goes to HOOKS from every state before it.
 */
#ifndef FLUXSHIM_ENGINE_FSM_H
#define FLUXSHIM_ENGINE_FSM_H

#include <stdbool.h>
#include <stdint.h>

enum fsm_state {
    FSM_RUNNING,    /* serving */
    FSM_LAME_DUCK,  /* serving, while load balancers learn */
    FSM_REFUSE,     /* new connections are refused from here on */
    FSM_DRAIN,      /* what exists may finish */
    FSM_FORCE,      /* what remains is ended */
    FSM_HOOKS,      /* cleanup */
    FSM_CHECKPOINT, /* the account of it */
    FSM_RELEASE,    /* the program has its signal and ends itself */
    FSM_GIVE_UP,    /* it didn't: the signal's default action */
    FSM_FINISHED,   /* an exit goes on */
    FSM_STATES
};

enum fsm_event {
    FSM_TICK,   /* nothing but time has passed */
    FSM_SIGNAL, /* the first managed signal */
    FSM_SECOND, /* another one from outside */
    FSM_TOLD,   /* the family drains, and this is one of its members */
    FSM_EXIT,   /* the program ends by itself */
    FSM_EMPTY,  /* no connection is left, nor one on its way */
    FSM_DONE,   /* what this state means has been done */
    FSM_EVENTS
};

/* Durations in nanoseconds. */
struct fsm_limits {
    int64_t lame_duck;
    int64_t drain;
    int64_t force; /* how long a forced connection may take to flush */
    int64_t shutdown;
};

struct fsm {
    struct fsm_limits limits;
    enum fsm_state state;
    int64_t began;   /* when the signal came */
    int64_t entered; /* when this state did */
    bool exiting;    /* the reason is, or has become, the program's own exit */
};

#define FSM_NEVER INT64_MAX

void fsm_init(struct fsm *fsm, const struct fsm_limits *limits);

/* True if the state has changed. `now` in nanoseconds of any one clock, never going back. */
bool fsm_step(struct fsm *fsm, enum fsm_event event, int64_t now);

/* When the present state ends by itself, or FSM_NEVER. */
int64_t fsm_deadline(const struct fsm *fsm);

/* "drain", "hooks", ... */
const char *fsm_name(enum fsm_state state);

#endif
