/* SPDX-License-Identifier: MIT */
/* fluxctl watch: a server, from where it is until it has ended. */
/* Context: a program of one thread. */
#include "commands/watch.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "command.h"
#include "family/describe.h"
#include "family/find.h"
#include "fluxshim.h"
#include "lib/live.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

#define MS             INT64_C(1000000)
#define SECOND         (1000 * MS)
#define INTERVAL       (100 * MS)
#define INTERVAL_LEAST (10 * MS)
#define INTERVAL_MOST  (3600 * SECOND)
#define LOOK_SHARE     10 /* of the time at most one part of so many goes into looking at sockets */
#define KILLED_STATUS  128

enum { OPTION_JSON, OPTION_INTERVAL, OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_JSON] = {.name = "json", .letter = 'j', .text = "events as JSON, one a line"},
    [OPTION_INTERVAL] = {.name = "interval",
                         .letter = 'n',
                         .argument = "TIME",
                         .text = "how often to look, 100ms"},
    [OPTION_RUN_DIR] = FIND_OPTION,
};

/* What is known ---------------------------------------------------------------------------------------- */

/* A stop passes the lame duck also when it is off. */
bool watch_is_step(const struct watch *watch, uint32_t phase)
{
    const struct family_layout *layout = watch->view.layout;

    return layout->stop.entered_ns[phase] != 0 &&
           (phase != FLUX_PHASE_LAME_DUCK || layout->settings.lame_duck > 0);
}

/* The shim counts them from the drain on. */
bool watch_is_counted(const struct watch *watch)
{
    const struct family_stop *stop = &watch->view.layout->stop;

    return stop->phase > FLUX_PHASE_REFUSE &&
           (stop->entered_ns[FLUX_PHASE_DRAIN] != 0 || stop->left_at_signal > 0);
}

bool watch_left(const struct watch *watch, uint64_t *ret_left)
{
    const struct family_stop *stop = &watch->view.layout->stop;

    if (watch_is_counted(watch)) {
        *ret_left = stop->left;
        return true;
    }
    *ret_left = watch->connections.count;
    return watch->has_connections;
}

static void drop_connections(struct watch *watch)
{
    if (watch->has_connections) {
        connections_free(&watch->connections);
    }
    watch->has_connections = false;
}

/* With many sockets a look takes long: the next one waits accordingly. */
static void look_at_connections(struct watch *watch)
{
    if (watch->view.layout->stop.phase > FLUX_PHASE_FORCE) {
        drop_connections(watch);
    } else if (watch->now_ns >= watch->connections_at_ns) {
        int64_t begin = process_now_ns();

        drop_connections(watch);
        watch->has_connections = connections_read(&watch->view, &watch->connections) == 0;
        watch->connections_at_ns = begin + LOOK_SHARE * (process_now_ns() - begin);
    }
}

static void note_progress(struct watch *watch)
{
    uint64_t left;

    watch->second_has_passed = watch->now_ns - watch->second_ns >= SECOND;
    if (watch->second_has_passed) {
        watch->second_ns += (watch->now_ns - watch->second_ns) / SECOND * SECOND;
    }
    watch->has_changed = watch_left(watch, &left) && left != watch->left;
    if (watch->has_changed) {
        watch->left = left;
    }
}

/* What is new ------------------------------------------------------------------------------------------ */

static bool tell_stop(struct watch *watch, const struct watch_display *display)
{
    if (watch->told_stop || watch->began_ns == 0) {
        return true;
    }
    watch->told_stop = true;
    watch->second_ns = watch->began_ns;
    return display->stop(watch);
}

static bool tell_hook(struct watch *watch, const struct watch_display *display)
{
    const struct family_stop *stop = &watch->view.layout->stop;

    if (stop->hook == watch->told_hook) {
        return true;
    }
    watch->told_hook = stop->hook;
    return display->hook(watch);
}

/* Also those that were passed between two looks, and in their order. */
static bool tell_phases(struct watch *watch, const struct watch_display *display)
{
    const struct family_stop *stop = &watch->view.layout->stop;
    bool good = true;

    for (uint32_t i = 1; i <= stop->phase && good; i++) {
        if (stop->entered_ns[i] == 0 || (watch->told_phases & (1u << i))) {
            continue;
        }
        watch->told_phases |= 1u << i;
        good = (i <= FLUX_PHASE_HOOKS || tell_hook(watch, display)) && display->phase(watch, i);
    }
    return good;
}

static bool tell_second_signal(struct watch *watch, const struct watch_display *display)
{
    if (watch->view.layout->stop.second == 0 || watch->told_second_signal) {
        return true;
    }
    watch->told_second_signal = true;
    return display->second_signal(watch);
}

static bool tell(struct watch *watch, const struct watch_display *display)
{
    return tell_stop(watch, display) && tell_second_signal(watch, display) &&
           tell_phases(watch, display) && tell_hook(watch, display);
}

/* Whose end is waited for ------------------------------------------------------------------------------ */

static bool follow(struct watch *watch, const struct member_view *leader)
{
    if (watch->pidfd >= 0) {
        (void)close(watch->pidfd);
    }
    watch->pid = leader->pid;
    (void)strlcpy(watch->name, leader->process.name, sizeof(watch->name));
    watch->pidfd = (int)syscall(SYS_pidfd_open, leader->pid, 0);
    return watch->pidfd >= 0;
}

static bool is_gone(const struct watch *watch)
{
    struct pollfd one = {.fd = watch->pidfd, .events = POLLIN};

    return poll(&one, 1, 0) > 0;
}

/* While it serves, a process that ends has an heir (daemon(3)), or leaves its workers to themselves. */
static bool has_heir(struct watch *watch, const struct watch_display *display, bool *good)
{
    if (watch->view.layout->stop.phase != 0 || !view_awaits_heir(&watch->view)) {
        return false;
    }
    const struct member_view *heir = describe_leader(&watch->view);

    if (!heir || !follow(watch, heir)) {
        return false;
    }
    *good = display->leader(watch);
    return true;
}

/* It has its signal, and lives: as another server, by exec? */
static bool serves_on(struct watch *watch)
{
    struct family_view other;

    if (watch->view.layout->stop.phase != FLUX_PHASE_RELEASE ||
        watch->now_ns < watch->successor_at_ns) {
        return false;
    }
    watch->successor_at_ns = watch->now_ns + SECOND;
    if (find_quietly(watch->run_dir, watch->pid, &other) != 0) {
        return false;
    }
    bool serves = other.layout->stop.phase == 0;

    view_close(&other);
    return serves;
}

static enum watch_how how_it_ended(const struct family_stop *stop)
{
    return stop->phase != FLUX_PHASE_RELEASE ? WATCH_DIED
           : stop->forced > 0                ? WATCH_FORCED
           : stop->reason == FAMILY_EXIT     ? WATCH_EXITED
                                             : WATCH_DRAINED;
}

/* The loop --------------------------------------------------------------------------------------------- */

/* The file may be anything by now: then the last whole copy is what is known. */
static bool look(struct watch *watch, const struct watch_display *display)
{
    bool gone = is_gone(watch), good = true; /* first: what it wrote last is read after that */

    (void)view_refresh(&watch->view);
    watch->now_ns = process_now_ns();
    watch->began_ns =
        watch->view.layout->stop.phase ? describe_began(&watch->view.layout->stop) : 0;
    if (gone && !has_heir(watch, display, &good)) {
        watch->how = how_it_ended(&watch->view.layout->stop);
    } else if (serves_on(watch)) {
        watch->how = WATCH_SERVES_ON;
    } else {
        look_at_connections(watch);
    }
    note_progress(watch);
    return good && tell(watch, display) && (watch->how != WATCH_GOES_ON || display->look(watch));
}

bool watch_wait_for(const struct watch *watch, int ms)
{
    struct pollfd both[] = {{.fd = watch->pidfd, .events = POLLIN}, {.fd = STDOUT_FILENO}};

    return poll(both, 2, ms) <= 0 || both[1].revents == 0;
}

static enum status status_of(const struct watch *watch)
{
    switch (watch->how) {
    case WATCH_FORCED:
        return STATUS_FORCED;
    case WATCH_DIED:
        return STATUS_NO;
    default:
        return STATUS_OK;
    }
}

static enum status watch_until_end(struct watch *watch, const struct watch_display *display,
                                   int64_t interval)
{
    bool good = display->begin(watch);

    while (good && watch->how == WATCH_GOES_ON) {
        good = look(watch, display);
        if (good && watch->how == WATCH_GOES_ON) {
            good = display->wait(watch, (int)(interval / MS));
        }
    }
    (void)display->end(watch); /* also when it was ended: a terminal gets its cursor back */
    if (live_ended_by() != 0) {
        return (enum status)(KILLED_STATUS + live_ended_by());
    }
    return status_of(watch);
}

static bool read_interval(const char *text, int64_t *ret_ns)
{
    *ret_ns = INTERVAL;
    if (text && !options_duration("interval", text, ret_ns)) {
        return false;
    }
    if (*ret_ns < INTERVAL_LEAST || *ret_ns > INTERVAL_MOST) {
        say("--interval=%s: allowed are 10ms to 1h", text_visible(text));
        return false;
    }
    return true;
}

/* The leader when this begins. The view was made a moment ago: it is asked again with the pidfd there. */
static enum status begin(struct watch *watch)
{
    const struct member_view *leader = describe_leader(&watch->view);

    if (!follow(watch, leader)) {
        int error = errno;

        say("process %d can't be waited for: %s", (int)watch->pid, strerror(error));
        return error == ESRCH ? STATUS_NOT_THERE : STATUS_NO;
    }
    if (view_refresh(&watch->view) != 0 || !view_member(&watch->view, watch->pid)) {
        say("process %d has just ended", (int)watch->pid);
        return STATUS_NOT_THERE;
    }
    watch->now_ns = watch->second_ns = process_now_ns();
    return STATUS_OK;
}

static enum status run(struct call *call)
{
    struct watch watch = {.pidfd = -1, .left = UINT64_MAX, .run_dir = call->values[OPTION_RUN_DIR]};
    const struct watch_display *display = call->values[OPTION_JSON] ? &watch_events
                                          : live_is_possible()      ? &watch_screen
                                                                    : &watch_lines;
    int64_t interval;
    pid_t pid;

    if (!read_interval(call->values[OPTION_INTERVAL], &interval) ||
        !options_pid(call->arguments[0], &pid)) {
        return STATUS_USAGE;
    }
    enum status status = find_one(watch.run_dir, pid, &watch.view);

    if (status != STATUS_OK) {
        return status;
    }
    status = begin(&watch);
    if (status == STATUS_OK) {
        status = watch_until_end(&watch, display, interval);
    }
    drop_connections(&watch);
    if (watch.pidfd >= 0) {
        (void)close(watch.pidfd);
    }
    view_close(&watch.view);
    return status;
}

const struct command command_watch = {
    .name = "watch",
    .arguments = "PID",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_PID,
    .summary = "follow a server until it has ended",
    .details =
        "PID is any process of the server. At a terminal a view that lives: how many connections\n"
        "are left, the oldest of them, the time left, the phases and the hook that runs.\n"
        "Elsewhere a line for each phase and each second of a drain. Returns when the server's\n"
        "main process is gone: 0; 6, connections were cut off; 1, it died without a whole stop.",
    COMMAND_OPTIONS(options),
    .run = run,
};
