/* SPDX-License-Identifier: MIT */
/* fluxctl status: one server, its processes, sockets and settings. */
/* Context: a program of one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "family/connections.h"
#include "family/describe.h"
#include "family/find.h"
#include "family/settings_text.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/text.h"

#define ROWS_SHOWN 20

enum { OPTION_JSON, OPTION_ALL, OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_JSON] = {.name = "json", .letter = 'j', .text = "as JSON"},
    [OPTION_ALL] = {.name = "all",
                    .letter = 'a',
                    .text = "each connection, and settings that are as they come, too"},
    [OPTION_RUN_DIR] = FIND_OPTION,
};

static void heading(const char *text)
{
    (void)printf("\n%s%s%s\n", color(COLOR_BOLD), text, color(COLOR_PLAIN));
}

static void print_head(const struct family_view *view)
{
    const struct member_view *leader = describe_leader(view);
    const struct family_stop *stop = &view->layout->stop;

    (void)printf("%s%s%s (pid %d), %s%s%s, up %s\n", color(COLOR_BOLD),
                 text_visible(leader->process.name), color(COLOR_PLAIN), (int)leader->pid,
                 color(stop->phase == 0 ? COLOR_GREEN : COLOR_YELLOW), view_phase(stop->phase),
                 color(COLOR_PLAIN),
                 text_duration((process_now_ms() - leader->process.began_ms) * 1000000));
    if (view->layout->saving.generation > 0) {
        (void)printf("checkpoint: generation %" PRIu64 "\n",
                     (uint64_t)view->layout->saving.generation);
    }
}

static void print_time_left(const char *what, int64_t until, int64_t now)
{
    if (until != INT64_MAX && until > now) {
        (void)printf(", %s in %s", what, text_duration(until - now));
    }
}

static void print_stop(const struct family_stop *stop)
{
    int64_t now = process_now_ns();

    if (stop->phase == 0) {
        return;
    }
    (void)printf("stop: %s", describe_reason(stop) ? describe_reason(stop) : "unknown reason");
    if (stop->signo != 0) {
        const char *name = sigabbrev_np(stop->signo);

        (void)(name ? printf(" SIG%s", name) : printf(" %d", (int)stop->signo));
    }
    if (stop->sender_pid > 0) {
        (void)printf(" from pid %d", (int)stop->sender_pid);
    }
    (void)printf(", %s ago, %" PRIu64 " of %" PRIu64 " connections left",
                 text_duration(now - describe_began(stop)), (uint64_t)stop->left,
                 (uint64_t)stop->left_at_signal);
    print_time_left("this phase ends", stop->deadline_ns, now);
    print_time_left("everything", stop->end_ns, now);
    (void)putchar('\n');
}

static void print_members(const struct family_view *view)
{
    static const struct table_column columns[] = {{"PID", TABLE_RIGHT},
                                                  {"NAME", TABLE_LEFT},
                                                  {"ROLE", TABLE_LEFT},
                                                  {"PHASE", TABLE_LEFT},
                                                  {"UP", TABLE_RIGHT}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < view->member_count; i++) {
        const struct member_view *member = &view->members[i];
        char pid[32];

        if (member->lives) {
            (void)snprintf(pid, sizeof(pid), "%d", (int)member->pid);
            table_row(table, pid, text_visible(member->process.name), view_role(view, member),
                      view_phase(view->layout->members[member->slot].phase),
                      text_duration((process_now_ms() - member->process.began_ms) * 1000000));
        }
    }
    heading("Processes");
    table_print(table, 2);
}

static void print_listeners(const struct connections *connections)
{
    static const struct table_column columns[] = {{"ADDRESS", TABLE_LEFT},
                                                  {"STATE", TABLE_LEFT},
                                                  {"QUEUED", TABLE_RIGHT},
                                                  {"BACKLOG", TABLE_RIGHT},
                                                  {"HELD BY", TABLE_RIGHT}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < connections->listener_count; i++) {
        const struct listener *one = &connections->listeners[i];
        char queued[32], backlog[32], holders[32];

        (void)snprintf(queued, sizeof(queued), "%" PRIu32, one->socket.unread);
        (void)snprintf(backlog, sizeof(backlog), "%" PRIu32, one->socket.unsent);
        (void)snprintf(holders, sizeof(holders), "%zu", one->holders);
        table_color(table, one->socket.refuses ? COLOR_YELLOW : COLOR_PLAIN);
        table_row(table, view_address(&one->socket.local, one->socket.local_size),
                  one->socket.refuses ? "refuses" : "listens", queued, backlog, holders);
    }
    heading("Listeners");
    table_print(table, 2);
}

static void add_connection(struct table *table, const struct connection *one)
{
    char pid[32], fd[32], bytes[64];

    (void)snprintf(pid, sizeof(pid), "%d", (int)one->pid);
    (void)snprintf(fd, sizeof(fd), "%d", one->fd);
    (void)snprintf(bytes, sizeof(bytes), "%" PRIu64 "/%" PRIu64, one->socket.received,
                   one->socket.sent);
    table_color(table, one->state == CONNECTION_IDLE ? COLOR_DIM : COLOR_PLAIN);
    table_row(table, pid, fd, view_address(&one->socket.peer, one->socket.peer_size),
              connection_state_name(one->state), one->why,
              one->age_ns >= 0 ? text_duration(one->age_ns) : "-",
              one->socket.has_info ? bytes : "-");
}

static void print_connections(const struct connections *connections, bool all)
{
    static const struct table_column columns[] = {
        {"PID", TABLE_RIGHT}, {"FD", TABLE_RIGHT},    {"PEER", TABLE_LEFT},   {"STATE", TABLE_LEFT},
        {"WHY", TABLE_LEFT},  {"QUIET", TABLE_RIGHT}, {"IN/OUT", TABLE_RIGHT}};
    size_t shown = all || connections->count <= ROWS_SHOWN ? connections->count : ROWS_SHOWN;

    heading("Connections");
    (void)printf("  %zu open: %zu in flight, %zu idle", connections->count,
                 connections_count(connections, CONNECTION_IN_FLIGHT),
                 connections_count(connections, CONNECTION_IDLE));
    if (connections_count(connections, CONNECTION_UNKNOWN) > 0) {
        (void)printf(", %zu unknown", connections_count(connections, CONNECTION_UNKNOWN));
    }
    (void)printf("; %" PRIu64 " accepted so far\n", connections->accepted);
    if (shown == 0) {
        return;
    }
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < shown; i++) {
        add_connection(table, &connections->rows[i]);
    }
    table_print(table, 2);
    if (shown < connections->count) {
        (void)printf("  and %zu more: --all shows them\n", connections->count - shown);
    }
}

static void print_settings(const struct settings *settings, bool all)
{
    static const struct table_column columns[] = {
        {"SETTING", TABLE_LEFT}, {"VALUE", TABLE_LEFT}, {"FROM", TABLE_LEFT}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < settings_row_count(); i++) {
        enum settings_origin origin = settings_origin_of(settings, (enum settings_id)i);
        const char *value = settings_value(settings, (enum settings_id)i);

        if (all || origin != SETTINGS_DEFAULT) {
            table_color(table, origin == SETTINGS_DEFAULT ? COLOR_DIM : COLOR_PLAIN);
            table_row(table, settings_rows()[i].name, value[0] ? text_visible(value) : "none",
                      settings_origin_name(origin));
        }
    }
    heading(all ? "Settings" : "Settings that differ from the defaults");
    table_print(table, 2);
}

static void print_all(const struct family_view *view, const struct connections *connections,
                      bool all)
{
    print_head(view);
    print_stop(&view->layout->stop);
    print_members(view);
    if (connections) {
        print_listeners(connections);
        print_connections(connections, all);
    } else {
        say("its sockets are somebody else's: its user or root may look");
    }
    print_settings(&view->layout->settings, all);
}

static bool print_json(const struct family_view *view, const struct connections *connections)
{
    cJSON *root = cJSON_CreateObject();

    describe_head(root, view);
    describe_stop(root, view, process_now_ns());
    describe_members(root, view);
    describe_sockets(root, connections, true);
    describe_settings(root, &view->layout->settings);
    return output_json(root);
}

static enum status run(struct call *call)
{
    struct family_view view;
    struct connections connections;
    pid_t pid;

    if (!options_pid(call->arguments[0], &pid)) {
        return STATUS_USAGE;
    }
    enum status status = find_one(call->values[OPTION_RUN_DIR], pid, &view);

    if (status != STATUS_OK) {
        return status;
    }
    bool readable = connections_read(&view, &connections) == 0, good = true;

    if (call->values[OPTION_JSON]) {
        good = print_json(&view, readable ? &connections : NULL);
    } else {
        print_all(&view, readable ? &connections : NULL, call->values[OPTION_ALL] != NULL);
    }
    if (readable) {
        connections_free(&connections);
    }
    view_close(&view);
    return good ? STATUS_OK : STATUS_NO;
}

const struct command command_status = {
    .name = "status",
    .arguments = "PID",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_PID,
    .summary = "one server: its processes, listeners, connections and settings",
    .details = "PID is any process of the server.",
    COMMAND_OPTIONS(options),
    .run = run,
};
