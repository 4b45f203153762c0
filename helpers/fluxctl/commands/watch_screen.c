/* SPDX-License-Identifier: MIT */
/* fluxctl watch at a terminal: a frame that lives. */
/* Context: a program of one thread. */
#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "commands/watch.h"
#include "fluxshim.h"
#include "lib/live.h"
#include "lib/text.h"

#define NARROW     48 /* columns: below, short words */
#define BAR_MOST   60
#define WITH_SHARE 5 /* " 100%" */

/* The parts of a frame --------------------------------------------------------------------------------- */

/* A text that may not be cut: as many lines as it takes, between words where there are any. */
static void draw_wrapped(enum color color, const char *text)
{
    while (*text) {
        size_t fit = text_fit(text, live_columns()), end = fit;

        while (text[fit] != '\0' && end > 0 && text[end] != ' ') {
            end--;
        }
        end = end > 0 ? end : fit;
        if (end == 0) {
            return; /* a wide character, and one column */
        }
        live_line(color, "%.*s", (int)end, text);
        text += end + (text[end] == ' ');
    }
}

static void draw_head(const struct watch *watch)
{
    uint32_t phase = watch->view.layout->stop.phase;

    live_line(phase == 0 ? COLOR_GREEN : COLOR_YELLOW, "%s: %s (pid %d)%s%s", view_phase(phase),
              text_visible(watch->name), (int)watch->pid, phase ? ", " : "",
              phase ? watch_cause(watch) : "");
}

/* The share of those at the signal that have gone; 1 when there were none. */
static double share_gone(const struct family_stop *stop)
{
    return stop->left >= stop->left_at_signal
               ? (stop->left_at_signal == 0 && stop->left == 0 ? 1 : 0)
               : 1 - (double)stop->left / (double)stop->left_at_signal;
}

static void draw_bar(const struct family_stop *stop)
{
    char bar[BAR_MOST + 1];
    size_t room = live_columns() > WITH_SHARE + 2 ? live_columns() - WITH_SHARE - 2 : 1;
    size_t width = room < BAR_MOST ? room : BAR_MOST;
    size_t full = (size_t)(share_gone(stop) * (double)width);

    memset(bar, '.', width);
    memset(bar, '#', full);
    bar[width] = '\0';
    live_line(COLOR_GREEN, "[%s]%4d%%", bar, (int)(share_gone(stop) * 100));
}

static void draw_counts(const struct watch *watch)
{
    const struct connections *all = &watch->connections;
    uint64_t left;

    if (!watch_left(watch, &left)) {
        live_line(COLOR_PLAIN, "connections can't be read");
    } else if (watch_is_counted(watch)) {
        live_line(COLOR_PLAIN, "%" PRIu64 " of %" PRIu64 " connections left", left,
                  (uint64_t)watch->view.layout->stop.left_at_signal);
    } else {
        live_line(COLOR_PLAIN, "%" PRIu64 " connection%s: %zu in flight, %zu idle", left,
                  left == 1 ? "" : "s", connections_count(all, CONNECTION_IN_FLIGHT),
                  connections_count(all, CONNECTION_IDLE));
    }
}

static void draw_times(const struct watch *watch)
{
    const struct family_stop *stop = &watch->view.layout->stop;
    const char *phase = watch_time_left(watch, stop->deadline_ns);
    const char *all = watch_time_left(watch, stop->end_ns);

    if (live_columns() < NARROW) {
        live_line(COLOR_PLAIN, "%s of %s", phase, all);
    } else {
        live_line(COLOR_PLAIN, "time left: %s of this phase, %s of all", phase, all);
    }
}

static uint32_t next_phase(const struct watch *watch, uint32_t phase)
{
    do {
        phase++;
    } while (phase <= watch->view.layout->stop.phase && !watch_is_step(watch, phase));
    return phase;
}

/* "refuse 1 ms -> drain 3.2 s -> hooks": how long each took. What is too long loses its beginning. */
static void draw_phases(const struct watch *watch)
{
    const struct family_stop *stop = &watch->view.layout->stop;
    char line[512] = "";
    const char *shown = line;

    for (uint32_t i = next_phase(watch, 0), next; i <= stop->phase; i = next) {
        next = next_phase(watch, i);
        int64_t end = next <= stop->phase ? stop->entered_ns[next] : watch->now_ns;

        (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s %s",
                       line[0] ? " -> " : "", watch_step(i),
                       text_duration(end > stop->entered_ns[i] ? end - stop->entered_ns[i] : 0));
    }
    while (text_columns(shown) > live_columns() && strstr(shown, "-> ")) {
        shown = strstr(shown, "-> ") + 3;
    }
    live_line(COLOR_DIM, "%s", shown);
}

static void draw_hook(const struct family_stop *stop)
{
    if (stop->phase == FLUX_PHASE_HOOKS && stop->hooks > 0) {
        live_line(COLOR_PLAIN, "hook %" PRIu32 " of %" PRIu32 ": %s", (uint32_t)stop->hook,
                  (uint32_t)stop->hooks, text_visible((const char *)stop->hook_name));
    }
}

static void draw_connection(const struct connection *one)
{
    const char *age = one->age_ns >= 0 ? text_duration(one->age_ns) : "-";
    const char *peer = view_address(&one->socket.peer, one->socket.peer_size);
    enum color shade = one->state == CONNECTION_IDLE ? COLOR_DIM : COLOR_PLAIN;

    if (live_columns() < NARROW) {
        live_line(shade, "%s %s", peer, age);
    } else {
        live_line(shade, "%9s  %-21s  %s", age, peer, one->why);
    }
}

static void draw_oldest(const struct watch *watch)
{
    size_t rows = live_rows(), used = live_lines();
    size_t room = rows > used ? rows - used : 0;

    if (!watch->has_connections || watch->connections.count == 0 || room < 2) {
        return;
    }
    if (live_columns() < NARROW) {
        live_line(COLOR_BOLD, "PEER, QUIET FOR");
    } else {
        live_line(COLOR_BOLD, "%9s  %-21s  %s", "QUIET FOR", "PEER", "WHY IT IS OPEN");
    }
    for (size_t i = 0; i + 1 < room && i < WATCH_OLDEST && i < watch->connections.count; i++) {
        draw_connection(&watch->connections.rows[i]);
    }
}

/* The frame -------------------------------------------------------------------------------------------- */

/* The most telling first: a terminal of few rows shows those. */
static bool look(struct watch *watch)
{
    const struct family_stop *stop = &watch->view.layout->stop;

    draw_head(watch);
    draw_counts(watch);
    if (watch_is_counted(watch)) {
        draw_bar(stop);
    }
    if (stop->phase != 0) {
        draw_times(watch);
        draw_phases(watch);
        draw_hook(stop);
    }
    draw_oldest(watch);
    return live_draw();
}

static bool begin(struct watch *watch)
{
    (void)watch;
    return live_begin();
}

static bool wait_for(struct watch *watch, int ms)
{
    (void)live_poll(watch->pidfd, ms);
    return live_ended_by() == 0;
}

static void draw_end(const struct watch *watch)
{
    bool bad = watch->how == WATCH_FORCED || watch->how == WATCH_DIED;
    char text[TEXT_MOST];

    if (watch->began_ns != 0) {
        draw_phases(watch);
    }
    (void)snprintf(text, sizeof(text), "%s: %s", text_visible(watch->name), watch_summary(watch));
    draw_wrapped(bad ? COLOR_RED : COLOR_GREEN, text);
}

static bool end(struct watch *watch)
{
    if (watch->how != WATCH_GOES_ON) {
        draw_end(watch);
    }
    live_end();
    return true;
}

/* Each frame shows all there is. */
static bool nothing(struct watch *watch)
{
    (void)watch;
    return true;
}

static bool no_phase(struct watch *watch, uint32_t phase)
{
    (void)watch;
    (void)phase;
    return true;
}

const struct watch_display watch_screen = {.begin = begin,
                                           .leader = nothing,
                                           .stop = nothing,
                                           .phase = no_phase,
                                           .hook = nothing,
                                           .second_signal = nothing,
                                           .look = look,
                                           .wait = wait_for,
                                           .end = end};
