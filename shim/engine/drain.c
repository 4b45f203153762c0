/* SPDX-License-Identifier: MIT */
/* The drain: one entry for each descriptor, looked at as seldom as the rules allow. */
/* Context: coordinator thread only; may allocate; makes system calls, never waits. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/children.h"
#include "engine/drain.h"
#include "engine/members.h"
#include "engine/queue.h"
#include "engine/reconcile.h"
#include "engine/shim.h"
#include "engine/sockets.h"
#include "format/quiet.h"

#define MS             1000000ll
#define BUSY_LOOK      (5 * MS)   /* output or input is in the kernel: look again soon */
#define VERIFY_EVERY   (250 * MS) /* a descriptor can be closed behind our back */
#define SWEEP_EVERY    (100 * MS) /* at least, while connections are in flight */
#define NUDGES_AT_ONCE 512        /* the rest follows NUDGE_PAUSE later */
#define NUDGE_PAUSE    (2 * MS)
#define OVER_EVERY     (20 * MS) /* has a nudged connection ended, and not been closed? */
#define PROGRAM_LOOK   (20 * MS) /* has the child program of a session ended? */

/* What the drain remembers of a descriptor between two looks. */
struct seen {
    uint32_t activity;
    bool known;
    bool nudged;
    bool parents;        /* untouched, and the process that forked had it */
    bool over;           /* is_over(), at `asked` */
    int64_t quiet_since; /* with `nudged`: since the nudge */
    int64_t verified, asked;
};

static struct {
    struct seen *seen; /* by descriptor */
    size_t size;
    uint64_t nudged, forced, at_signal;
    struct drain_view view; /* of the sweep that goes on */
    size_t nudges;          /* in this sweep */
} drain;

static bool room_for(size_t descriptors)
{
    if (descriptors <= drain.size) {
        return true;
    }
    size_t wanted = descriptors * 2;
    struct seen *larger = realloc(drain.seen, wanted * sizeof(*larger));

    if (!larger) {
        return false;
    }
    memset(larger + drain.size, 0, (wanted - drain.size) * sizeof(*larger));
    drain.seen = larger;
    drain.size = wanted;
    return true;
}

static uint8_t kind_of(uint32_t fd)
{
    return atomic_load_explicit(&shim->fdtab->entries[fd].kind, memory_order_acquire);
}

/* Is this descriptor the home of a connection? */
static bool is_connection(uint32_t fd)
{
    return (kind_of(fd) & (FD_CONNECTION | FD_ALIAS)) == FD_CONNECTION;
}

static uint32_t high(void)
{
    uint32_t end = atomic_load(&shim->fdtab->high), size = atomic_load(&shim->fdtab->size);

    return end < size ? end : size;
}

/* In flight or idle ---------------------------------------------------------------------------- */

/* How long it must have been quiet before it is idle, or QUIET_NEVER. */
static int64_t quiet_time(int fd, const struct fd_entry *entry, const char **ret_why)
{
    struct quiet_facts facts = {
        .evidence = atomic_load_explicit(&entry->evidence, memory_order_relaxed),
        .answer = shim->http_answer(entry),
    };
    struct sockets_tcp tcp;

    if (facts.evidence == EVIDENCE_NOTHING && sockets_tcp(fd, &tcp)) {
        facts.has_received = tcp.received > 0;
        facts.sent_last = tcp.sent_last;
    }
    return quiet_needed(&facts, shim->settings->idle, ret_why);
}

/* In the last quarter of the drain the quiet time shrinks with what is left of it. */
static int64_t shrink(int64_t needed, int64_t left, int64_t timeout)
{
    int64_t quarter = timeout / 4;

    if (left >= quarter || quarter <= 0) {
        return needed;
    }
    return left <= 0 ? 0 : needed / MS * (left / MS + 1) / (quarter / MS + 1) * MS;
}

/* When did it fall quiet? TCP knows of the time before the drain (4 ms ticks). */
static int64_t quiet_from(int fd, int64_t now)
{
    struct sockets_tcp tcp;

    return sockets_tcp(fd, &tcp) && tcp.quiet_ns > 8 * MS ? now - tcp.quiet_ns + 8 * MS : now;
}

static void look_again(int64_t at)
{
    if (at < drain.view.next_ns) {
        drain.view.next_ns = at;
    }
}

/* The last look just before: a request that arrives later than this is some 7 us late. */
static bool kernel_holds_something(int fd)
{
    return sockets_unread(fd) > 0 || sockets_unsent(fd) > 0;
}

static void nudge(int fd, struct seen *seen, int64_t now)
{
    if (drain.nudges >=
        NUDGES_AT_ONCE) { /* first: the kernel is asked of each once, not in each sweep */
        look_again(now + NUDGE_PAUSE);
        return;
    }
    if (!shim->is_served(fd)) {
        return;
    }
    if (kernel_holds_something(fd)) {
        look_again(now + BUSY_LOOK);
        return;
    }
    if (!is_connection((uint32_t)fd) ||
        atomic_load(&shim->fdtab->entries[fd].activity) != seen->activity) {
        return; /* it has come to life, or is another one, while we asked the kernel */
    }
    drain.nudges++;
    drain.nudged++;
    seen->nudged = true;
    seen->quiet_since = now;
    (void)shutdown(fd, SHUT_RD);
    log_debug("nudged connection %d", fd);
}

static bool is_lent(int fd)
{
    return (kind_of((uint32_t)fd) & FD_LENT) != 0;
}

/* A copy that this process was forked with and never used: once the parent's, always the parent's. */
static bool is_the_parents(int fd, struct seen *seen)
{
    seen->parents = is_lent(fd) && (seen->parents || members_parent_holds(fd));
    return seen->parents;
}

/* A copy that nobody uses: even the end of its input was of no interest. */
static bool is_abandoned(int fd, const struct seen *seen, int64_t now)
{
    return is_lent(fd) && now - seen->quiet_since > shim->settings->idle;
}

/* Accepted here, and handed to a child before anything was said. */
static bool is_a_childs(int fd, const struct fd_entry *entry)
{
    return is_lent(fd) &&
           atomic_load_explicit(&entry->evidence, memory_order_relaxed) == EVIDENCE_NOTHING &&
           members_child_holds(fd);
}

/*
 * Entries can be stale: fclose inside libc, io_uring and raw calls bypass the wrappers. A stale one
 * isn't counted; it is left as it is, since its number may become a connection at any instant.
 */
static bool verify(int fd, struct seen *seen, int64_t now)
{
    if (seen->known && now - seen->verified < VERIFY_EVERY) {
        return true;
    }
    seen->verified = now;
    if (shim->is_served(fd) && !is_the_parents(fd, seen)) {
        return true;
    }
    seen->known = false;
    return false;
}

/*
 * Shut down by both sides and kept open by the program: nobody waits for anything. Each close of thousands has
 * all others looked at, and most programs close at once.
 */
static bool is_over(int fd, struct seen *seen, int64_t now)
{
    struct sockets_tcp tcp;

    if (now - seen->asked >= OVER_EVERY) {
        seen->asked = now;
        seen->over = sockets_tcp(fd, &tcp) && tcp.over;
    }
    return seen->over;
}

static void notice_activity(int fd, const struct fd_entry *entry, struct seen *seen, int64_t now)
{
    uint32_t activity = atomic_load_explicit(&entry->activity, memory_order_relaxed);

    if (seen->known && seen->activity == activity) {
        return;
    }
    seen->quiet_since = seen->known ? now : quiet_from(fd, now);
    seen->activity = activity;
    seen->known = true;
    seen->nudged = seen->over = false;
    seen->asked = 0;
}

/* This process serves one connection, and no other will come. (A member that accepts serves many.) */
static bool is_a_session(void)
{
    uint32_t connections = 0, end = high();

    if (!shim->family_leads() && atomic_load(&shim->life->accepts)) {
        return false;
    }
    for (uint32_t i = 0; i < shim->listeners_high() && shim->family_leads(); i++) {
        if (atomic_load(&shim->listeners[i].fd) >= 0) {
            return false;
        }
    }
    for (uint32_t fd = 0; fd < end && connections < 2; fd++) { /* asked for each of many */
        connections += is_connection(fd);
    }
    return connections == 1;
}

/* Its program can speak at any time. */
static bool runs_a_program(void)
{
    return is_a_session() && children_run_a_program();
}

static void look_at(int fd, int64_t now, int64_t deadline, int64_t timeout)
{
    const struct fd_entry *entry = &shim->fdtab->entries[fd];
    struct seen *seen = &drain.seen[fd];
    const char *why;

    if (!verify(fd, seen, now)) {
        return;
    }
    drain.view.left++;
    notice_activity(fd, entry, seen, now);
    int64_t needed = quiet_time(fd, entry, &why);

    if (seen->nudged) {
        drain.view.left -= is_over(fd, seen, now) || is_abandoned(fd, seen, now);
        look_again(seen->asked + OVER_EVERY);
        return;
    }
    if (needed == QUIET_NEVER) {
        return;
    }
    int64_t due = seen->quiet_since + shrink(needed, deadline - now, timeout);

    if (due > now) {
        look_again(due);
    } else if (is_a_childs(fd, entry)) {
        drain.view.left--;
    } else if (runs_a_program()) {
        look_again(now + PROGRAM_LOOK);
    } else {
        nudge(fd, seen, now);
    }
}

/* Without memory to remember them by, nobody can say which are idle: they end by themselves. */
static void wait_for_the_rest(uint32_t begin, uint32_t end)
{
    static bool told;

    for (uint32_t fd = begin; fd < end; fd++) {
        drain.view.left += is_connection(fd) && shim->is_served((int)fd);
    }
    if (!told) {
        log_warn("no memory for the connections' state: idle ones are not closed before the end "
                 "of the drain");
        told = true;
    }
}

void drain_sweep(int64_t now, int64_t deadline, int64_t timeout, struct drain_view *ret_view)
{
    uint32_t end = high();

    drain.view = (struct drain_view){.next_ns = now + SWEEP_EVERY};
    drain.nudges = 0;
    if (!room_for(end)) {
        wait_for_the_rest((uint32_t)drain.size, end);
        end = (uint32_t)drain.size;
    }
    for (uint32_t fd = 0; fd < end; fd++) {
        if (is_connection(fd)) {
            look_at((int)fd, now, deadline, timeout);
        } else {
            drain.seen[fd].known = drain.seen[fd].parents = false;
        }
    }
    int64_t queue_next = queue_look(now, drain.view.left > 0);

    drain.view.empty = drain.view.left == 0 && queue_next == 0;
    if (queue_next != 0) {
        look_again(queue_next);
    }
    *ret_view = drain.view;
}

/* Beginning, end and account ------------------------------------------------------------------- */

/* Those that were there when the refusal came: rescued ones are counted by themselves. */
static uint64_t count_connections(uint8_t without)
{
    uint32_t end = high();
    uint64_t count = 0;

    for (uint32_t fd = 0; fd < end; fd++) {
        count += is_connection(fd) && !(kind_of(fd) & without);
    }
    return count;
}

/*
 * A program that execs itself gets fresh listeners (sigsafe/relisten.h): what is left of its old
 * connections, TIME_WAIT included, must not hold the address.
 */
static void share_address(void)
{
    int yes = 1;
    uint32_t end = high();

    for (uint32_t fd = 0; fd < end; fd++) {
        if (kind_of(fd) & (FD_CONNECTION | FD_LISTENER)) {
            (void)setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
        }
    }
}

void drain_forget(void)
{
    memset(&drain, 0, sizeof(drain));
}

void drain_begin(struct record *record, int64_t now)
{
    reconcile_connections();
    if (shim->family_leads()) {
        share_address();
    }
    drain.nudged = drain.forced = 0;
    drain.at_signal = count_connections(FD_RESCUED);
    record->connections.at_signal = drain.at_signal;
    queue_begin(now);
}

/* How long it has been there, neither the kernel nor the table says. */
static void note_traffic(struct record_connection *row, int fd, int64_t drained_ns)
{
    struct sockets_tcp tcp;

    row->age_ns = drained_ns;
    row->quiet_ns = -1;
    row->has_bytes = sockets_tcp(fd, &tcp);
    if (row->has_bytes) {
        row->received = tcp.received;
        row->sent = tcp.sent;
        row->quiet_ns = tcp.quiet_ns;
        row->age_ns = tcp.quiet_ns > drained_ns ? tcp.quiet_ns : drained_ns;
    }
}

static void note_remaining(struct record *record, int fd)
{
    const struct fd_entry *entry = &shim->fdtab->entries[fd];
    const char *why;
    bool in_flight = quiet_time(fd, entry, &why) == QUIET_NEVER;

    if (sockets_unread(fd) > 0) {
        in_flight = true;
        why = "request not read";
    } else if (sockets_unsent(fd) > 0) {
        in_flight = true;
        why = "response not delivered";
    } else if (!in_flight && runs_a_program()) {
        in_flight = true;
        why = "its program is running";
    }
    if (record->remaining_count++ >= RECORD_REMAINING) {
        return;
    }
    struct record_connection *row = &record->remaining[record->remaining_count - 1];

    *row = (struct record_connection){
        .fd = fd, .state = in_flight ? "in flight" : "idle", .why = why, .forced = true};
    sockets_peer(fd, row->peer, sizeof(row->peer));
    note_traffic(row, fd, shim_now() - record->began_ns);
}

/* What wasn't read would make a close send RST, which can destroy a response already sent. */
static void read_out(int fd)
{
    char waste[4096];

    for (int i = 0; i < 256 && recv(fd, waste, sizeof(waste), MSG_DONTWAIT) > 0; i++) {
    }
}

static void force(int fd)
{
    uint8_t kind = kind_of((uint32_t)fd);

    if (!(kind & FD_CONNECTION) ||
        !atomic_compare_exchange_strong(&shim->fdtab->entries[fd].kind, &kind, kind | FD_FORCED)) {
        return; /* closed just now */
    }
    (void)shutdown(fd, SHUT_WR);
    read_out(fd);
    drain.forced++;
}

static bool is_known_as_parents(uint32_t fd)
{
    return fd < drain.size && drain.seen[fd].parents && is_lent((int)fd);
}

void drain_force(struct record *record)
{
    uint32_t end = high();

    shim->hold_sigpipe();
    for (uint32_t fd = 0; fd < end; fd++) {
        if (is_connection(fd) && shim->is_served((int)fd) && !is_known_as_parents(fd)) {
            note_remaining(record, (int)fd);
            force((int)fd);
        }
    }
    if (drain.forced > 0) {
        log_warn("%llu connections did not finish in time and were ended",
                 (unsigned long long)drain.forced);
    }
}

bool drain_flushed(void)
{
    uint32_t end = high();

    for (uint32_t fd = 0; fd < end; fd++) {
        if ((kind_of(fd) & FD_FORCED) && sockets_unsent((int)fd) > 0) {
            return false;
        }
    }
    return true;
}

void drain_account(struct record *record)
{
    uint64_t rescued = 0, accepted = 0;

    record->listener_count = queue_listeners(record->listeners, RECORD_LISTENERS);
    for (size_t i = 0; i < record->listener_count; i++) {
        accepted += record->listeners[i].accepted;
        rescued += record->listeners[i].rescued;
    }
    record->connections.accepted = accepted;
    record->connections.rescued = rescued;
    record->connections.nudged = drain.nudged;
    record->connections.forced = drain.forced;
    record->connections.open = drain_count();
    record->connections.drained =
        drain.at_signal + rescued > drain.forced ? drain.at_signal + rescued - drain.forced : 0;
}

uint64_t drain_count(void)
{
    return count_connections(0);
}
