/* SPDX-License-Identifier: MIT */
/* fluxctl watch where there is no terminal: as a log has it. */
/* Context: a program of one thread. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "commands/watch.h"
#include "fluxshim.h"
#include "lib/text.h"

static bool print(const struct watch *watch, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/* "   1.204 s  text": since the stop began. */
static bool print(const struct watch *watch, const char *format, ...)
{
    int64_t ms = watch->began_ns ? (watch->now_ns - watch->began_ns) / 1000000 : 0;
    va_list arguments;

    va_start(arguments, format);
    (void)printf("%4" PRId64 ".%03d s  ", ms / 1000, (int)(ms % 1000));
    (void)vprintf(format, arguments);
    (void)putchar('\n');
    va_end(arguments);
    return fflush(stdout) == 0;
}

static bool leader(struct watch *watch)
{
    return print(watch, "now led by %s (pid %d)", text_visible(watch->name), (int)watch->pid);
}

static bool begin(struct watch *watch)
{
    return print(watch, "%s (pid %d), %s", text_visible(watch->name), (int)watch->pid,
                 view_phase(watch->view.layout->stop.phase));
}

static bool stop(struct watch *watch)
{
    struct watch then = *watch;

    then.now_ns = watch->began_ns;
    return print(&then, "stop: %s", watch_cause(watch));
}

/* At the time at which it began. */
static bool phase(struct watch *watch, uint32_t which)
{
    struct watch then = *watch;

    then.now_ns = watch->view.layout->stop.entered_ns[which];
    return !watch_is_step(watch, which) || print(&then, "%s", watch_step(which));
}

static bool hook(struct watch *watch)
{
    const struct family_stop *now = &watch->view.layout->stop;

    return print(watch, "hook %" PRIu32 " of %" PRIu32 ": %s", (uint32_t)now->hook,
                 (uint32_t)now->hooks, text_visible((const char *)now->hook_name));
}

static bool second_signal(struct watch *watch)
{
    return print(watch, "a second signal");
}

/* The first one, and how many the server opens and closes while it serves, are nobody's news. */
static bool look(struct watch *watch)
{
    const struct family_stop *now = &watch->view.layout->stop;
    const struct connection *oldest =
        watch->has_connections && watch->connections.count > 0 ? watch->connections.rows : NULL;
    uint64_t left;

    if (now->phase != FLUX_PHASE_DRAIN || !watch->second_has_passed || !watch_left(watch, &left)) {
        return true;
    }
    return print(watch, "%" PRIu64 " of %" PRIu64 " connections left; drain: %s, all: %s%s%s%s%s",
                 left, (uint64_t)now->left_at_signal, watch_time_left(watch, now->deadline_ns),
                 watch_time_left(watch, now->end_ns), oldest ? "; oldest " : "",
                 oldest ? view_address(&oldest->socket.peer, oldest->socket.peer_size) : "",
                 oldest ? ", " : "", oldest ? oldest->why : "");
}

static bool wait_for(struct watch *watch, int ms)
{
    return watch_wait_for(watch, ms);
}

static bool end(struct watch *watch)
{
    return watch->how == WATCH_GOES_ON || print(watch, "%s", watch_summary(watch));
}

const struct watch_display watch_lines = {.begin = begin,
                                          .leader = leader,
                                          .stop = stop,
                                          .phase = phase,
                                          .hook = hook,
                                          .second_signal = second_signal,
                                          .look = look,
                                          .wait = wait_for,
                                          .end = end};
