/* SPDX-License-Identifier: MIT */
/* fluxctl watch: what a terminal and a log say in the same words. */
/* Context: a program of one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/watch.h"
#include "lib/text.h"

const char *watch_step(uint32_t phase)
{
    static const char *const names[FAMILY_PHASES] = {
        "running", "lame duck", "refuse", "drain", "force", "hooks", "checkpoint", "release"};

    return names[phase < FAMILY_PHASES ? phase : 0];
}

const char *watch_cause(const struct watch *watch)
{
    static char text[128];
    const struct family_stop *stop = &watch->view.layout->stop;
    const char *name = stop->signo ? sigabbrev_np(stop->signo) : NULL;
    char sender[64] = "";

    if (stop->reason == FAMILY_EXIT) {
        return "its own exit";
    }
    if (stop->reason == FAMILY_DEMAND) {
        return "a demand";
    }
    if (stop->sender_pid > 0) {
        (void)snprintf(sender, sizeof(sender), " from pid %d", (int)stop->sender_pid);
    }
    if (name) {
        (void)snprintf(text, sizeof(text), "SIG%s%s", name, sender);
    } else {
        (void)snprintf(text, sizeof(text), "signal %d%s", (int)stop->signo, sender);
    }
    return text;
}

static const char *died(const struct watch *watch)
{
    static char text[256];
    const struct family_stop *stop = &watch->view.layout->stop;

    if (watch->began_ns == 0) {
        return "ended without a stop";
    }
    (void)snprintf(text, sizeof(text),
                   "died in mid-stop (%s) after %s, with %" PRIu64 " of %" PRIu64
                   " connections left",
                   watch_step(stop->phase), text_duration(watch->now_ns - watch->began_ns),
                   (uint64_t)stop->left, (uint64_t)stop->left_at_signal);
    return text;
}

const char *watch_summary(const struct watch *watch)
{
    static char text[256];
    const struct family_stop *stop = &watch->view.layout->stop;

    if (watch->how == WATCH_DIED) {
        return died(watch);
    }
    (void)snprintf(text, sizeof(text),
                   "%s after %s: %" PRIu64 " drained (%" PRIu64 " nudged), %" PRIu64
                   " forced, %" PRIu32 " hook%s",
                   watch->how == WATCH_SERVES_ON ? "serves on" : "ended",
                   text_duration(watch->now_ns - watch->began_ns), (uint64_t)stop->drained,
                   (uint64_t)stop->nudged, (uint64_t)stop->forced, (uint32_t)stop->hooks,
                   stop->hooks == 1 ? "" : "s");
    return text;
}

const char *watch_time_left(const struct watch *watch, int64_t until)
{
    if (until == INT64_MAX || until == 0) {
        return "no end";
    }
    return text_duration(until > watch->now_ns ? until - watch->now_ns : 0);
}
