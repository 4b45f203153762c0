/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/fsm: every state with every event, deadlines, and that it always ends. */
/* Context: a program that prints TAP; single-threaded. An argument replaces the random seed. */
#include "../../shim/engine/fsm.h"
#include "unit.h"

#include <stdlib.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define START  (1000 * SECOND) /* of the made-up clock */
#define STAY   FSM_STATES

static const struct fsm_limits usual = {
    .lame_duck = 2 * SECOND,
    .drain = 30 * SECOND,
    .force = SECOND / 5,
    .shutdown = 60 * SECOND,
};

static struct fsm fresh(const struct fsm_limits *limits)
{
    struct fsm fsm;

    memset(&fsm, 0x5a, sizeof(fsm)); /* fsm_init leaves nothing to chance */
    fsm_init(&fsm, limits);
    return fsm;
}

/* ---- the diagram ---- */

/* The events that lead from RUNNING to each state, one nanosecond apart. */
static const struct {
    enum fsm_event events[6];
    size_t count;
} ways[FSM_STATES] = {
    [FSM_RUNNING] = {.count = 0},
    [FSM_LAME_DUCK] = {{FSM_SIGNAL}, 1},
    [FSM_REFUSE] = {{FSM_SIGNAL, FSM_TICK}, 2},
    [FSM_DRAIN] = {{FSM_SIGNAL, FSM_TICK, FSM_DONE}, 3},
    [FSM_FORCE] = {{FSM_SIGNAL, FSM_SECOND}, 2},
    [FSM_HOOKS] = {{FSM_SIGNAL, FSM_SECOND, FSM_DONE}, 3},
    [FSM_CHECKPOINT] = {{FSM_SIGNAL, FSM_SECOND, FSM_DONE, FSM_DONE}, 4},
    [FSM_RELEASE] = {{FSM_SIGNAL, FSM_SECOND, FSM_DONE, FSM_DONE, FSM_DONE}, 5},
    [FSM_GIVE_UP] = {{FSM_SIGNAL, FSM_SECOND, FSM_DONE, FSM_DONE, FSM_DONE, FSM_TICK}, 6},
    [FSM_FINISHED] = {{FSM_EXIT, FSM_DONE, FSM_DONE}, 3},
};

/* A tick is given at the deadline. Leaves the time in *ret_now. */
static struct fsm arrive(enum fsm_state state, int64_t *ret_now)
{
    struct fsm fsm = fresh(&usual);
    int64_t now = START;

    for (size_t i = 0; i < ways[state].count; i++) {
        enum fsm_event event = ways[state].events[i];

        now = event == FSM_TICK ? fsm_deadline(&fsm) : now + 1;
        (void)fsm_step(&fsm, event, now);
    }
    *ret_now = now;
    return fsm;
}

/* As drawn. Columns: tick (at the deadline), signal, second, told, exit, empty, done. */
static const enum fsm_state edges[FSM_STATES][FSM_EVENTS] = {
    [FSM_RUNNING] = {STAY, FSM_LAME_DUCK, STAY, FSM_DRAIN, FSM_HOOKS, STAY, STAY},
    [FSM_LAME_DUCK] = {FSM_REFUSE, STAY, FSM_FORCE, FSM_DRAIN, FSM_HOOKS, STAY, STAY},
    [FSM_REFUSE] = {FSM_DRAIN, STAY, FSM_FORCE, STAY, FSM_HOOKS, STAY, FSM_DRAIN},
    [FSM_DRAIN] = {FSM_FORCE, STAY, FSM_FORCE, STAY, FSM_HOOKS, FSM_HOOKS, STAY},
    [FSM_FORCE] = {FSM_HOOKS, STAY, STAY, STAY, FSM_HOOKS, STAY, FSM_HOOKS},
    [FSM_HOOKS] = {FSM_CHECKPOINT, STAY, STAY, STAY, STAY, STAY, FSM_CHECKPOINT},
    [FSM_CHECKPOINT] = {FSM_RELEASE, STAY, STAY, STAY, STAY, STAY, FSM_RELEASE},
    [FSM_RELEASE] = {FSM_GIVE_UP, STAY, STAY, STAY, STAY, STAY, STAY},
    [FSM_GIVE_UP] = {STAY, STAY, STAY, STAY, STAY, STAY, STAY},
    [FSM_FINISHED] = {STAY, STAY, STAY, STAY, STAY, STAY, STAY},
};

static const char *const event_names[FSM_EVENTS] = {"tick", "signal", "second", "told",
                                                    "exit", "empty",  "done"};

static void test_edge(enum fsm_state state, enum fsm_event event)
{
    char name[96];
    int64_t now;
    struct fsm fsm = arrive(state, &now);
    enum fsm_state want = edges[state][event];
    int64_t at = event == FSM_TICK ? fsm_deadline(&fsm) : now + 1;
    int64_t entered = want == STAY ? fsm.entered : at;
    bool changed = fsm_step(&fsm, event, at);

    snprintf(name, sizeof(name), "%s in %s", event_names[event], fsm_name(state));
    unit_text(name, fsm_name(fsm.state), fsm_name(want == STAY ? state : want));
    unit_equal("  and says whether it changed", changed, want != STAY);
    unit_equal("  and the time of entering", fsm.entered, entered);
}

static void test_edges(void)
{
    for (int state = 0; state < FSM_STATES; state++) {
        int64_t now;

        unit_equal("the way leads there", arrive((enum fsm_state)state, &now).state, state);
        for (int event = 0; event < FSM_EVENTS; event++) {
            test_edge((enum fsm_state)state, (enum fsm_event)event);
        }
    }
}

/* ---- deadlines ---- */

/* One nanosecond before it a tick changes nothing. */
static void test_early_ticks(void)
{
    for (int state = 0; state < FSM_STATES; state++) {
        int64_t now;
        struct fsm fsm = arrive((enum fsm_state)state, &now);

        unit_equal("a tick before the deadline", fsm_step(&fsm, FSM_TICK, fsm_deadline(&fsm) - 1),
                   false);
        unit_equal("  leaves the state", fsm.state, state);
    }
}

static int64_t deadline_in(enum fsm_state state)
{
    int64_t now;
    struct fsm fsm = arrive(state, &now);

    return fsm_deadline(&fsm) == FSM_NEVER ? FSM_NEVER : fsm_deadline(&fsm) - fsm.began;
}

static void test_deadlines(void)
{
    unit_equal("running: never", deadline_in(FSM_RUNNING), FSM_NEVER);
    unit_equal("lame duck: its time", deadline_in(FSM_LAME_DUCK), 2 * SECOND);
    unit_equal("drain: its time from the refusal on", deadline_in(FSM_DRAIN), 32 * SECOND);
    unit_equal("force: its time from its own start", deadline_in(FSM_FORCE), SECOND / 5 + 1);
    unit_equal("hooks: the shutdown's", deadline_in(FSM_HOOKS), 60 * SECOND);
    unit_equal("checkpoint: the shutdown's", deadline_in(FSM_CHECKPOINT), 60 * SECOND);
    unit_equal("release: the shutdown's", deadline_in(FSM_RELEASE), 60 * SECOND);
    unit_equal("give up: never", deadline_in(FSM_GIVE_UP), FSM_NEVER);
    unit_equal("finished: never", deadline_in(FSM_FINISHED), FSM_NEVER);
}

/* The shutdown's deadline bounds every other one. */
static void test_short_shutdown(void)
{
    const struct fsm_limits limits = {20 * SECOND, 30 * SECOND, 5 * SECOND, 10 * SECOND};
    struct fsm fsm = fresh(&limits);

    fsm_step(&fsm, FSM_SIGNAL, START);
    unit_equal("lame duck within the shutdown", fsm_deadline(&fsm), START + 10 * SECOND);
    fsm_step(&fsm, FSM_SECOND, START + 9 * SECOND);
    unit_equal("force within the shutdown", fsm_deadline(&fsm), START + 10 * SECOND);
    fsm = fresh(&limits);
    fsm.limits.lame_duck = 0;
    fsm_step(&fsm, FSM_SIGNAL, START);
    fsm_step(&fsm, FSM_TICK, START);
    fsm_step(&fsm, FSM_DONE, START);
    unit_equal("drain within the shutdown", fsm_deadline(&fsm), START + 10 * SECOND);
}

static void test_no_lame_duck(void)
{
    struct fsm fsm = fresh(&usual);

    fsm.limits.lame_duck = 0;
    fsm_step(&fsm, FSM_SIGNAL, START);
    unit_equal("no lame duck: due at once", fsm_deadline(&fsm), START);
    unit_equal("  and over at once", fsm_step(&fsm, FSM_TICK, START), true);
    unit_equal("  in the refusal", fsm.state, FSM_REFUSE);
    fsm_step(&fsm, FSM_DONE, START + 5);
    unit_equal("  and the drain's time is whole", fsm_deadline(&fsm), START + 30 * SECOND);
}

/* Sums beyond what fits are "never", and don't wrap to the past. */
static void test_endless_limits(void)
{
    const struct fsm_limits limits = {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
    struct fsm fsm = fresh(&limits);

    fsm_step(&fsm, FSM_SIGNAL, START);
    unit_equal("an endless lame duck", fsm_deadline(&fsm), FSM_NEVER);
    unit_equal("  isn't over", fsm_step(&fsm, FSM_TICK, INT64_MAX - 1), false);
    fsm_step(&fsm, FSM_SECOND, START);
    unit_equal("an endless force", fsm_deadline(&fsm), FSM_NEVER);
    unit_equal("  isn't over", fsm_step(&fsm, FSM_TICK, INT64_MAX - 1), false);
    fsm_step(&fsm, FSM_DONE, START);
    unit_equal("endless hooks", fsm_deadline(&fsm), FSM_NEVER);
    fsm = fresh(&limits);
    fsm.limits.lame_duck = 0;
    fsm_step(&fsm, FSM_SIGNAL, START);
    fsm_step(&fsm, FSM_TICK, START);
    fsm_step(&fsm, FSM_DONE, START);
    unit_equal("an endless drain", fsm_deadline(&fsm), FSM_NEVER);
}

/* ---- an exit by the program itself ---- */

/* Whenever it comes before the release, the end is FINISHED, and the signal isn't replayed. */
static void test_exit_from(enum fsm_state state)
{
    char name[96];
    int64_t now;
    struct fsm fsm = arrive(state, &now);

    fsm_step(&fsm, FSM_EXIT, ++now);
    while (fsm.state < FSM_RELEASE && fsm_step(&fsm, FSM_DONE, ++now)) {
    }
    snprintf(name, sizeof(name), "an exit in %s ends finished", fsm_name(state));
    unit_text(name, fsm_name(fsm.state), "finished");
}

static void test_exits(void)
{
    int64_t now;
    struct fsm fsm;

    for (int state = FSM_RUNNING; state <= FSM_CHECKPOINT; state++) {
        test_exit_from((enum fsm_state)state);
    }
    fsm = arrive(FSM_RELEASE, &now);
    fsm_step(&fsm, FSM_EXIT, now + 1);
    unit_equal("an exit after the release is the program's own", fsm.state, FSM_RELEASE);
    unit_equal("  and is bounded all the same", fsm_step(&fsm, FSM_TICK, fsm_deadline(&fsm)), true);
    unit_text("  by giving up", fsm_name(fsm.state), "give-up");
    fsm = fresh(&usual);
    fsm_step(&fsm, FSM_EXIT, START);
    unit_equal("an exit without a signal begins the clock", fsm_deadline(&fsm),
               START + 60 * SECOND);
}

/* ---- it always ends ---- */

/* Nothing but time, each tick when it is due. */
static void test_time_alone(const char *name, const struct fsm_limits *limits, int64_t most)
{
    struct fsm fsm = fresh(limits);
    int64_t now = START;
    int steps = 0;

    fsm_step(&fsm, FSM_SIGNAL, now);
    while (fsm_deadline(&fsm) != FSM_NEVER && steps < 100) {
        now = now > fsm_deadline(&fsm) ? now : fsm_deadline(&fsm);
        steps += fsm_step(&fsm, FSM_TICK, now) ? 1 : 100;
    }
    unit_text(name, fsm_name(fsm.state), "give-up");
    unit_equal("  after one step a state", steps, 7);
    unit_equal("  when the shutdown's time is over", now - START, most);
}

static void test_always_ends(void)
{
    const struct fsm_limits none = {0, 0, 0, 0};
    const struct fsm_limits brief = {SECOND, 30 * SECOND, SECOND, 5 * SECOND};

    test_time_alone("time alone ends it", &usual, 60 * SECOND);
    test_time_alone("also with a shutdown shorter than the drain", &brief, 5 * SECOND);
    test_time_alone("also with no time at all", &none, 0);
}

/* ---- random walks ---- */

struct walk {
    struct fsm fsm;
    int64_t now;
    bool went_back;
    bool entered_wrong; /* `entered` is the time of the last change */
    bool over_time;     /* it stayed beyond a deadline that was told */
};

static void stride(struct walk *walk)
{
    enum fsm_state before = walk->fsm.state;
    enum fsm_event event = (enum fsm_event)(rand() % FSM_EVENTS);

    walk->now += rand() % 8 ? rand() % SECOND : 20 * SECOND;
    bool due = walk->now >= fsm_deadline(&walk->fsm);
    bool changed = fsm_step(&walk->fsm, event, walk->now);

    walk->went_back |= walk->fsm.state < before || changed != (walk->fsm.state != before);
    walk->entered_wrong |= changed && walk->fsm.entered != walk->now;
    walk->over_time |= event == FSM_TICK && due && !changed;
}

static void test_random_walks(void)
{
    struct walk sum = {.now = 0};

    for (int i = 0; i < 20000; i++) {
        struct walk walk = {.fsm = fresh(&usual), .now = START};

        for (int j = 0; j < 40; j++) {
            stride(&walk);
        }
        sum.went_back |= walk.went_back;
        sum.entered_wrong |= walk.entered_wrong;
        sum.over_time |= walk.over_time;
    }
    unit_equal("no walk goes back", sum.went_back, false);
    unit_equal("every change notes its time", sum.entered_wrong, false);
    unit_equal("no state outlasts its deadline", sum.over_time, false);
}

/* ---- the rest ---- */

static void test_start(void)
{
    struct fsm fsm = fresh(&usual);

    unit_equal("it begins running", fsm.state, FSM_RUNNING);
    unit_equal("with its limits", memcmp(&fsm.limits, &usual, sizeof(usual)), 0);
    unit_equal("and isn't exiting", fsm.exiting, false);
    fsm_step(&fsm, FSM_SIGNAL, START);
    unit_equal("the signal begins the clock", fsm.began, START);
    fsm_step(&fsm, FSM_SIGNAL, START + 9);
    unit_equal("  once", fsm.began, START);
}

static void test_names(void)
{
    bool differ = true;

    for (int i = 0; i < FSM_STATES; i++) {
        for (int j = 0; j < i; j++) {
            differ &= strcmp(fsm_name((enum fsm_state)i), fsm_name((enum fsm_state)j)) != 0;
        }
        differ &= strcmp(fsm_name((enum fsm_state)i), "unknown") != 0;
    }
    unit_true("each state has a name of its own", differ);
    unit_text("a number that is no state", fsm_name(FSM_STATES), "unknown");
}

int main(int argc, char **argv)
{
    unsigned seed = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : (unsigned)time(NULL);

    printf("# seed %u\n", seed);
    srand(seed);
    test_start();
    test_names();
    test_edges();
    test_early_ticks();
    test_deadlines();
    test_short_shutdown();
    test_no_lame_duck();
    test_endless_limits();
    test_exits();
    test_always_ends();
    test_random_walks();
    return unit_end();
}
