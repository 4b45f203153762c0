/* SPDX-License-Identifier: MIT */
/* Builds the JSON of a family. */
/* Context: a program of one thread. */
#include "family/describe.h"

#include <string.h>

#include "family/settings_text.h"
#include "lib/output.h"

#define MS 1000000

const struct member_view *describe_leader(const struct family_view *view)
{
    const struct member_view *leader = view_owner(view);

    for (size_t i = 0; i < view->member_count && !leader; i++) {
        leader = view->members[i].lives ? &view->members[i] : NULL;
    }
    return leader;
}

void describe_head(cJSON *object, const struct family_view *view)
{
    const struct member_view *leader = describe_leader(view);

    json_add_integer(object, "pid", leader ? leader->pid : 0);
    json_add_text(object, "name", leader ? leader->process.name : NULL);
    json_add_integer(object, "uid", leader ? (int64_t)leader->process.uid : -1);
    json_add_text(object, "file", view->path);
    json_add_text(object, "phase", view_phase(view->layout->stop.phase));
    json_add_ms(object, "uptime_ms",
                leader ? (process_now_ms() - leader->process.began_ms) * MS : 0);
    json_add_count(object, "generation", view->layout->saving.generation);
}

const char *describe_reason(const struct family_stop *stop)
{
    static const char *const names[] = {
        [FAMILY_SIGNAL] = "signal", [FAMILY_DEMAND] = "demand", [FAMILY_EXIT] = "exit"};

    return names[stop->reason];
}

static void add_signal(cJSON *object, const struct family_stop *stop)
{
    const char *name = stop->signo ? sigabbrev_np(stop->signo) : NULL;

    json_add_text(object, "signal", name);
    if (stop->signo && stop->sender_pid > 0) {
        cJSON *sender = cJSON_AddObjectToObject(object, "sender");

        json_add_integer(sender, "pid", stop->sender_pid);
        json_add_integer(sender, "uid", stop->sender_uid);
    } else {
        (void)cJSON_AddNullToObject(object, "sender");
    }
}

void describe_cause(cJSON *object, const struct family_stop *stop)
{
    json_add_text(object, "reason", describe_reason(stop));
    add_signal(object, stop);
}

/* When each phase began, those that have. */
static void add_phases(cJSON *object, const struct family_stop *stop, int64_t began)
{
    cJSON *rows = cJSON_AddArrayToObject(object, "phases");

    for (uint32_t i = 1; i < FAMILY_PHASES; i++) {
        if (stop->entered_ns[i] != 0) {
            cJSON *row = cJSON_CreateObject();

            (void)cJSON_AddItemToArray(rows, row);
            json_add_text(row, "name", view_phase(i));
            json_add_ms(row, "start_ms", stop->entered_ns[i] - began);
        }
    }
}

void describe_left(cJSON *object, const char *name, int64_t until, int64_t now)
{
    if (until == INT64_MAX || until == 0) {
        (void)cJSON_AddNullToObject(object, name);
    } else {
        json_add_ms(object, name, until > now ? until - now : 0);
    }
}

/* The first phase that was entered. */
int64_t describe_began(const struct family_stop *stop)
{
    int64_t began = 0;

    for (uint32_t i = 1; i < FAMILY_PHASES; i++) {
        if (stop->entered_ns[i] != 0 && (began == 0 || stop->entered_ns[i] < began)) {
            began = stop->entered_ns[i];
        }
    }
    return began;
}

static void add_hook(cJSON *object, const struct family_stop *stop)
{
    if (stop->hooks == 0) {
        (void)cJSON_AddNullToObject(object, "hook");
        return;
    }
    cJSON *hook = cJSON_AddObjectToObject(object, "hook");

    json_add_text(hook, "name", (const char *)stop->hook_name);
    json_add_count(hook, "number", stop->hook);
    json_add_count(hook, "of", stop->hooks);
}

void describe_stop(cJSON *object, const struct family_view *view, int64_t now)
{
    const struct family_stop *stop = &view->layout->stop;
    int64_t began = describe_began(stop);

    if (stop->phase == 0) {
        (void)cJSON_AddNullToObject(object, "stop");
        return;
    }
    cJSON *one = cJSON_AddObjectToObject(object, "stop");

    describe_cause(one, stop);
    (void)cJSON_AddBoolToObject(one, "second_signal", stop->second != 0);
    json_add_ms(one, "elapsed_ms", now - began);
    describe_left(one, "phase_left_ms", stop->deadline_ns, now);
    describe_left(one, "shutdown_left_ms", stop->end_ns, now);
    add_phases(one, stop, began);
    json_add_count(one, "connections_at_signal", stop->left_at_signal);
    json_add_count(one, "connections_left", stop->left);
    json_add_count(one, "drained", stop->drained);
    json_add_count(one, "nudged", stop->nudged);
    json_add_count(one, "forced", stop->forced);
    add_hook(one, stop);
}

void describe_members(cJSON *object, const struct family_view *view)
{
    cJSON *rows = cJSON_AddArrayToObject(object, "members");

    for (size_t i = 0; i < view->member_count; i++) {
        const struct member_view *member = &view->members[i];
        cJSON *row;

        if (!member->lives) {
            continue;
        }
        row = cJSON_CreateObject();
        (void)cJSON_AddItemToArray(rows, row);
        json_add_integer(row, "pid", member->pid);
        json_add_text(row, "name", member->process.name);
        json_add_text(row, "role", view_role(view, member));
        json_add_text(row, "phase", view_phase(view->layout->members[member->slot].phase));
        json_add_ms(row, "uptime_ms", (process_now_ms() - member->process.began_ms) * MS);
    }
}

static void add_listener(cJSON *rows, const struct listener *listener)
{
    cJSON *row = cJSON_CreateObject();

    (void)cJSON_AddItemToArray(rows, row);
    json_add_text(row, "address",
                  view_address(&listener->socket.local, listener->socket.local_size));
    json_add_integer(row, "pid", listener->pid);
    json_add_integer(row, "fd", listener->fd);
    json_add_count(row, "holders", listener->holders);
    (void)cJSON_AddBoolToObject(row, "refuses", listener->socket.refuses);
    json_add_count(row, "queued", listener->socket.unread);
    json_add_count(row, "backlog", listener->socket.unsent);
}

static void add_time(cJSON *row, const char *name, int64_t ns)
{
    if (ns < 0) {
        (void)cJSON_AddNullToObject(row, name);
    } else {
        json_add_ms(row, name, ns);
    }
}

void describe_connection(cJSON *rows, const struct connection *one)
{
    cJSON *row = cJSON_CreateObject();

    (void)cJSON_AddItemToArray(rows, row);
    json_add_integer(row, "pid", one->pid);
    json_add_integer(row, "fd", one->fd);
    json_add_count(row, "holders", one->holders);
    json_add_text(row, "local", view_address(&one->socket.local, one->socket.local_size));
    json_add_text(row, "peer", view_address(&one->socket.peer, one->socket.peer_size));
    json_add_text(row, "state", connection_state_name(one->state));
    json_add_text(row, "why", one->why);
    (void)cJSON_AddBoolToObject(row, "tracked", one->is_tracked);
    (void)cJSON_AddBoolToObject(row, "forced", one->forced);
    add_time(row, "age_at_least_ms", one->age_ns);
    add_time(row, "quiet_ms", one->quiet_ns);
    json_add_count(row, "unread", one->socket.unread);
    json_add_count(row, "unsent", one->socket.unsent);
    if (one->socket.has_info) {
        json_add_count(row, "bytes_received", one->socket.received);
        json_add_count(row, "bytes_sent", one->socket.sent);
    }
}

void describe_sockets(cJSON *object, const struct connections *connections, bool with_rows)
{
    if (!connections) {
        (void)cJSON_AddNullToObject(object, "listeners");
        (void)cJSON_AddNullToObject(object, "connections");
        return;
    }
    cJSON *listeners = cJSON_AddArrayToObject(object, "listeners");

    for (size_t i = 0; i < connections->listener_count; i++) {
        add_listener(listeners, &connections->listeners[i]);
    }
    cJSON *all = cJSON_AddObjectToObject(object, "connections");

    json_add_count(all, "open", connections->count);
    json_add_count(all, "in_flight", connections_count(connections, CONNECTION_IN_FLIGHT));
    json_add_count(all, "idle", connections_count(connections, CONNECTION_IDLE));
    json_add_count(all, "unknown", connections_count(connections, CONNECTION_UNKNOWN));
    json_add_count(all, "accepted", connections->accepted);
    json_add_count(all, "members_unreadable", connections->unreadable + connections->blind);
    cJSON *rows = with_rows ? cJSON_AddArrayToObject(all, "rows") : NULL;

    for (size_t i = 0; with_rows && i < connections->count; i++) {
        describe_connection(rows, &connections->rows[i]);
    }
}

void describe_settings(cJSON *object, const struct settings *settings)
{
    cJSON *rows = cJSON_AddArrayToObject(object, "settings");

    for (size_t i = 0; i < settings_row_count(); i++) {
        cJSON *row = cJSON_CreateObject();

        (void)cJSON_AddItemToArray(rows, row);
        json_add_text(row, "name", settings_rows()[i].name);
        json_add_text(row, "value", settings_value(settings, (enum settings_id)i));
        json_add_text(row, "origin",
                      settings_origin_name(settings_origin_of(settings, (enum settings_id)i)));
    }
}
