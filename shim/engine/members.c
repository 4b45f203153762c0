/* SPDX-License-Identifier: MIT */
/* Telling members, waiting for their answers, and answering. */
/* Context: coordinator thread only; makes system calls, never waits. */
#include "engine/members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/shim.h"
#include "format/family_layout.h"

#define MS         1000000ll
#define TELL_AGAIN (20 * MS) /* a member's safe point may need some attempts */
#define LOOK_AGAIN (20 * MS) /* is it still alive? */
#define FORK_MOST  (1000 * MS)
#define PASS_MOST  (500 * MS) /* how long a connection may be between two processes */
#define ROUND_NONE 0u

/* What the owner remembers of a slot, beyond the reach of the other members. */
struct known {
    pid_t pid; /* 0: nothing */
    int64_t alive_ms;
    int64_t since_ns;
    int64_t tell_ns; /* not before */
    int64_t look_ns;
    bool passive; /* it can't be told */
    bool stranger;
    bool is_program; /* it has taken one connection along, and is awaited for that */
    enum { MEMBER_LIVES, MEMBER_DIED } end;
};

static struct known known[FAMILY_MOST];
static uint32_t round_now;
static bool asked;                /* round_now is this emptiness's */
static uint64_t moves_when_asked; /* connections passed and received by then */

static struct family_layout *layout(void)
{
    return *shim->family;
}

static struct family_member *self(void)
{
    return shim->family_self();
}

static bool leads(void)
{
    return self() && shim->family_leads();
}

bool members_is_told(void)
{
    return self() && atomic_load(&shim->life->told) && !shim->family_leads();
}

/* Telling ------------------------------------------------------------------------------------------ */

enum readiness { READY, BLOCKS_IT, NOT_OURS };

static bool has_signal(const char *text, const char *field, int signo)
{
    const char *line = strstr(text, field);
    unsigned long long set = line ? strtoull(line + strlen(field), NULL, 16) : 0;

    return (set >> (signo - 1) & 1) != 0;
}

/* Only a process with our handler and an open mask can be sent the signal (proc(5)). */
static enum readiness readiness_of(pid_t pid, int signo)
{
    char path[40], text[4096];
    FILE *status;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    status = fopen(path, "re");
    if (!status) {
        return READY; /* nobody says otherwise */
    }
    size_t n = fread(text, 1, sizeof(text) - 1, status);

    (void)fclose(status);
    text[n] = '\0';
    if (!has_signal(text, "\nSigCgt:", signo)) {
        return NOT_OURS;
    }
    return has_signal(text, "\nSigBlk:", signo) ? BLOCKS_IT : READY;
}

static void send_tell(struct known *one)
{
    switch (readiness_of(one->pid, atomic_load(shim->tell_signo))) {
    case NOT_OURS:
        one->stranger = true;
        break;
    case READY:
        if (!shim->tell(one->pid) && errno != ESRCH) {
            log_warn("process %d can't be told to drain: waiting for its end", (int)one->pid);
            one->passive = true;
        }
        break;
    default:
        break;
    }
}

static void tell(struct known *one, struct family_member *member, int64_t now)
{
    if (now < one->tell_ns || atomic_load(&member->told) || one->passive) {
        return;
    }
    one->tell_ns = now + TELL_AGAIN;
    atomic_store(&member->telling, 1); /* an exec waits for the end of this: sigsafe/family.c */
    if (atomic_load(&member->state) == FAMILY_ACTIVE) {
        send_tell(one);
    }
    atomic_store(&member->telling, 0);
}

/* The owner's look at one slot ----------------------------------------------------------------------- */

static bool is_gone(struct known *one, int64_t now)
{
    if (one->end == MEMBER_LIVES && now >= one->look_ns) {
        one->look_ns = now + LOOK_AGAIN;
        one->end = shim->process_is_gone(one->pid, one->alive_ms) ? MEMBER_DIED : MEMBER_LIVES;
    }
    return one->end == MEMBER_DIED;
}

static void meet(struct known *one, const struct family_member *member, int64_t now)
{
    pid_t pid = (pid_t)atomic_load(&member->pid);

    if (one->pid != pid || one->since_ns == 0) {
        *one =
            (struct known){.pid = pid, .alive_ms = atomic_load(&member->alive_ms), .since_ns = now};
    }
}

static bool has_answered(const struct family_member *member)
{
    return asked && atomic_load(&member->round) == round_now && atomic_load(&member->left) == 0;
}

/* Does the drain wait for this one? */
static bool is_awaited(uint32_t index, int64_t now)
{
    struct family_member *member = &layout()->members[index];
    struct known *one = &known[index];
    uint32_t state = atomic_load(&member->state);

    if (state == FAMILY_FREE || state == FAMILY_CLEAN || state >= FAMILY_OTHER) {
        return false;
    }
    meet(one, member, now);
    if (one->pid <= 0) {
        return now - one->since_ns < FORK_MOST;
    }
    if (is_gone(one, now) || one->stranger) {
        return false;
    }
    if (atomic_load(&member->passive)) {
        return atomic_load(&member->left) > 0;
    }
    if (state == FAMILY_ACTIVE) {
        tell(one, member, now);
    } else {
        one->is_program = state == FAMILY_PROGRAM;
    }
    return state != FAMILY_ACTIVE || !has_answered(member);
}

static void ring_all(void)
{
    for (uint32_t i = 0; i < shim->family_high(); i++) {
        if (i != shim->family_index() && atomic_load(&layout()->members[i].told)) {
            shim->family_ring(i);
        }
    }
}

static uint64_t moves(void)
{
    return atomic_load(&layout()->passed) + atomic_load(&layout()->received);
}

static void ask(void)
{
    round_now = atomic_load(&layout()->round) + 1;
    round_now += round_now == ROUND_NONE;
    atomic_store(&layout()->round, round_now);
    moves_when_asked = moves();
    asked = true;
    ring_all();
}

static bool everybody_is_empty(int64_t now)
{
    uint32_t forks = atomic_load(&layout()->forks);
    bool awaited = false;

    for (uint32_t i = 0; i < shim->family_high(); i++) {
        awaited |= i != shim->family_index() && is_awaited(i, now);
    }
    return !awaited && forks == atomic_load(&layout()->forks);
}

static pid_t told_by;
static int64_t told_by_alive_ms;

static uint32_t owner_slot(void)
{
    return atomic_load(&layout()->owner) % FAMILY_MOST;
}

bool members_is_orphaned(void)
{
    return told_by > 0 && told_by != getpid() && shim->process_is_gone(told_by, told_by_alive_ms);
}

void members_forget(void)
{
    memset(known, 0, sizeof(known));
    asked = false;
    told_by = 0;
}

void members_begin(int64_t now)
{
    asked = false;
    if (leads()) {
        atomic_store(&layout()->began_ns, now);
        atomic_store(&layout()->phase, FAMILY_DRAIN);
    } else if (self()) {
        told_by = (pid_t)atomic_load(&layout()->members[owner_slot()].pid);
        told_by_alive_ms = atomic_load(&layout()->members[owner_slot()].alive_ms);
        atomic_store(&self()->told, members_is_told());
    }
}

/* Copies ----------------------------------------------------------------------------------------------- */

static bool socket_of(const char *process, int fd, char *ret_name, size_t size)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%s/fd/%d", process, fd);
    ssize_t n = readlink(path, ret_name, size - 1);

    ret_name[n > 0 ? n : 0] = '\0';
    return n > 0;
}

static bool holds(uint32_t index, int fd)
{
    const struct family_member *member = &layout()->members[index % FAMILY_MOST];
    pid_t pid = (pid_t)atomic_load(&member->pid);
    char process[16], mine[64], its[64];

    (void)snprintf(process, sizeof(process), "%d", (int)pid);
    return atomic_load(&member->state) != FAMILY_FREE && pid > 0 &&
           socket_of("self", fd, mine, sizeof(mine)) && socket_of(process, fd, its, sizeof(its)) &&
           strcmp(mine, its) == 0;
}

bool members_parent_holds(int fd)
{
    return self() && shim->family_index() != atomic_load(&self()->parent) &&
           holds(atomic_load(&self()->parent), fd);
}

bool members_child_holds(int fd)
{
    for (uint32_t i = 0; self() && i < shim->family_high(); i++) {
        if (i != shim->family_index() &&
            atomic_load(&layout()->members[i].parent) == shim->family_index() && holds(i, fd)) {
            return true;
        }
    }
    return false;
}

bool members_include(pid_t pid)
{
    for (uint32_t i = 0; self() && i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];
        uint32_t state = atomic_load(&member->state);

        if ((pid_t)atomic_load(&member->pid) == pid && state >= FAMILY_RESERVED &&
            state <= FAMILY_ACTIVE) {
            return true;
        }
    }
    return false;
}

/* A member's side -------------------------------------------------------------------------------------- */

uint32_t members_round(void)
{
    return self() ? atomic_load(&layout()->round) : ROUND_NONE;
}

static void count(struct record *record)
{
    struct family_member *me = self();

    drain_account(record);
    atomic_store(&me->accepted, record->connections.accepted);
    atomic_store(&me->at_signal, record->connections.at_signal);
    atomic_store(&me->drained, record->connections.drained);
    atomic_store(&me->nudged, record->connections.nudged);
    atomic_store(&me->forced, record->connections.forced);
}

static void answer(uint32_t left, uint32_t round, struct record *record)
{
    struct family_member *me = self();
    bool news = atomic_load(&me->left) != left || atomic_load(&me->round) != round;

    if (!news && atomic_load(&me->told)) {
        return;
    }
    count(record);
    atomic_store(&me->left, left);
    atomic_store(&me->told, 1);
    atomic_store(&me->round, round); /* last: from now on the rest is believed */
    shim->family_ring(atomic_load(&layout()->owner));
}

/* An AF_UNIX queue, and what was set aside from it, is in no table: it counts as one. */
static uint32_t left_in(const struct drain_view *view)
{
    size_t left = view->left > 0 ? view->left : !view->empty;

    return left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

/* Sent and not yet received; one that went to a stranger is not waited for for ever. */
static bool some_are_on_their_way(int64_t now)
{
    static int64_t since_ns;
    static uint64_t missing;
    uint64_t sent = atomic_load(&layout()->passed), taken = atomic_load(&layout()->received);

    if (sent <= taken || sent - taken != missing) {
        missing = sent > taken ? sent - taken : 0;
        since_ns = now;
    }
    return missing > 0 && now - since_ns < PASS_MOST;
}

static bool owner_may_end(int64_t now, const struct drain_view *view, int64_t *ret_next_ns)
{
    if (!view->empty || some_are_on_their_way(now) || (asked && moves() != moves_when_asked)) {
        asked = false;
    } else if (!asked) {
        ask();
    }
    bool all = everybody_is_empty(now) && asked;

    if (!all && now + LOOK_AGAIN < *ret_next_ns) {
        *ret_next_ns = now + LOOK_AGAIN;
    }
    return all;
}

bool members_may_end(int64_t now, const struct drain_view *view, uint32_t round,
                     struct record *record, int64_t *ret_next_ns)
{
    if (!self()) {
        return view->empty;
    }
    if (leads()) {
        return owner_may_end(now, view, ret_next_ns);
    }
    if (!members_is_told()) {
        return view->empty;
    }
    answer(left_in(view), round, record);
    return view->empty && atomic_load(&layout()->phase) >= FAMILY_HOOKS;
}

void members_done(struct record *record)
{
    if (self() && !leads()) {
        atomic_store(&self()->forced_all, 1);
        answer(0, members_round(), record);
    }
}

bool members_must_force(void)
{
    uint32_t phase = members_is_told() ? atomic_load(&layout()->phase) : FAMILY_RUNNING;

    return phase == FAMILY_FORCE || phase == FAMILY_HOOKS;
}

bool members_must_wait(void)
{
    return members_is_told() && atomic_load(&layout()->phase) < FAMILY_RELEASED &&
           !members_is_orphaned();
}

void members_excuse(void)
{
    if (self()) {
        atomic_store(&self()->left, 0);
        atomic_store(&self()->passive, 1);
        shim->family_ring(atomic_load(&layout()->owner));
    }
}

/* The end ------------------------------------------------------------------------------------------------ */

static void tell_who_was_given_up(void)
{
    for (uint32_t i = 0; i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];

        if (i != shim->family_index() && atomic_load(&member->state) == FAMILY_ACTIVE &&
            known[i].pid > 0 && known[i].end == MEMBER_LIVES && !known[i].stranger &&
            !atomic_load(&member->told)) {
            log_warn("process %d did not answer: given up", (int)known[i].pid);
        }
    }
}

void members_force(void)
{
    if (leads()) {
        tell_who_was_given_up();
        atomic_store(&layout()->phase, FAMILY_FORCE);
        ring_all();
    }
}

bool members_forced(void)
{
    bool all = true;

    for (uint32_t i = 0; leads() && i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];

        all &= i == shim->family_index() || atomic_load(&member->state) != FAMILY_ACTIVE ||
               !atomic_load(&member->told) || atomic_load(&member->forced_all) ||
               atomic_load(&member->left) == 0 || is_gone(&known[i], shim_now());
    }
    return all;
}

bool members_clean(void)
{
    return !self() || (leads() && (atomic_load(&shim->life->cleans) != 0 ||
                                   atomic_exchange(&layout()->cleaned, 1) == 0));
}

void members_release(void)
{
    if (leads()) {
        atomic_store(&layout()->phase, FAMILY_RELEASED);
        ring_all();
        shim->family_file_remove();
    }
}

/* The account -------------------------------------------------------------------------------------------- */

static void add_row(struct record *record, const struct family_member *member, pid_t pid,
                    const char *role, const char *status)
{
    if (record->member_count >= RECORD_MEMBERS) {
        return;
    }
    struct record_member *row = &record->members[record->member_count++];

    *row = (struct record_member){
        .pid = pid,
        .role = role,
        .status = status,
        .accepted = atomic_load(&member->accepted),
        .at_signal = atomic_load(&member->at_signal),
        .drained = atomic_load(&member->drained),
        .nudged = atomic_load(&member->nudged),
        .forced = atomic_load(&member->forced),
    };
}

static const char *status_of(const struct known *one, const struct family_member *member)
{
    if (one->is_program) {
        return "program";
    }
    if (atomic_load(&member->passive)) {
        return "passive";
    }
    if (!atomic_load(&member->told)) {
        return one->end == MEMBER_DIED ? "gone" : "not told";
    }
    return atomic_load(&member->forced) > 0 ? "forced" : "drained";
}

static void add_others(struct record *record)
{
    for (uint32_t i = 0; i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];

        if (i == shim->family_index() || known[i].pid <= 0 || known[i].stranger) {
            continue;
        }
        add_row(record, member, known[i].pid, "member", status_of(&known[i], member));
        struct record_member *row = &record->members[record->member_count - 1];

        if (known[i].is_program) {
            row->at_signal = 1;
            row->drained = known[i].end == MEMBER_DIED;
        }
        record->connections.accepted += row->accepted;
        record->connections.at_signal += row->at_signal;
        record->connections.drained += row->drained;
        record->connections.nudged += row->nudged;
        record->connections.forced += row->forced;
    }
}

void members_account(struct record *record)
{
    record->member_count = 0;
    if (!self() || shim->family_high() < 2) {
        return;
    }
    count(record);
    add_row(record, self(), getpid(), "owner", record->connections.forced ? "forced" : "drained");
    add_others(record);
}

bool members_have_answered(void)
{
    bool all = true;

    for (uint32_t i = 0; leads() && i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];

        all &= i == shim->family_index() || known[i].pid <= 0 || known[i].stranger ||
               known[i].passive || known[i].end == MEMBER_DIED ||
               atomic_load(&member->state) != FAMILY_ACTIVE || atomic_load(&member->told) != 0;
    }
    return all;
}

uint64_t members_left(void)
{
    uint64_t left = 0;

    for (uint32_t i = 0; leads() && i < shim->family_high(); i++) {
        const struct family_member *member = &layout()->members[i];

        if (i != shim->family_index() && atomic_load(&member->state) == FAMILY_ACTIVE &&
            atomic_load(&member->told)) {
            left += atomic_load(&member->left);
        }
    }
    return left;
}
