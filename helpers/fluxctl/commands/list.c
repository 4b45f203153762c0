/* SPDX-License-Identifier: MIT */
/* fluxctl list: the servers that run under fluxshim. */
/* Context: a program of one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "family/connections.h"
#include "family/describe.h"
#include "family/find.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/text.h"

enum { OPTION_JSON, OPTION_QUIET, OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_JSON] = {.name = "json", .letter = 'j', .text = "as JSON"},
    [OPTION_QUIET] = {.name = "quiet", .letter = 'q', .text = "process ids only, one a line"},
    [OPTION_RUN_DIR] = FIND_OPTION,
};

static const struct table_column columns[] = {{"PID", TABLE_RIGHT},  {"NAME", TABLE_LEFT},
                                              {"PHASE", TABLE_LEFT}, {"MEMBERS", TABLE_RIGHT},
                                              {"OPEN", TABLE_RIGHT}, {"IN FLIGHT", TABLE_RIGHT},
                                              {"UP", TABLE_RIGHT},   {"LISTENS ON", TABLE_LEFT}};

struct families {
    struct family_view *views;
    size_t count, room;
};

static void keep(struct family_view *view, void *argument)
{
    struct families *families = argument;

    if (families->count == families->room) {
        size_t room = families->room ? 2 * families->room : 16;
        struct family_view *larger = realloc(families->views, room * sizeof(*larger));

        if (!larger) {
            view_close(view);
            return;
        }
        families->views = larger;
        families->room = room;
    }
    if (describe_leader(view)) {
        families->views[families->count++] = *view;
    } else {
        view_close(view); /* nobody is left, or all are in another pid namespace */
    }
}

static int by_pid(const void *a, const void *b)
{
    const struct family_view *x = a, *y = b;
    pid_t left = describe_leader(x)->pid, right = describe_leader(y)->pid;

    return (left > right) - (left < right);
}

static size_t living(const struct family_view *view)
{
    size_t count = 0;

    for (size_t i = 0; i < view->member_count; i++) {
        count += view->members[i].lives;
    }
    return count;
}

/* "127.0.0.1:80 +2": the first one, and how many more. */
static const char *listeners_of(const struct connections *connections)
{
    static char text[TEXT_MOST];

    if (connections->listener_count == 0) {
        return "-";
    }
    const struct socket_row *first = &connections->listeners[0].socket;

    (void)snprintf(text, sizeof(text), "%s%s", view_address(&first->local, first->local_size),
                   first->refuses ? " (refuses)" : "");
    if (connections->listener_count > 1) {
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " +%zu",
                       connections->listener_count - 1);
    }
    return text;
}

static const char *number(size_t value, char *text, size_t size)
{
    (void)snprintf(text, size, "%zu", value);
    return text;
}

static void add_row(struct table *table, const struct family_view *view)
{
    const struct member_view *leader = describe_leader(view);
    struct connections connections;
    bool readable = connections_read(view, &connections) == 0;
    uint32_t phase = view->layout->stop.phase;
    char pid[32], members[32], open[32], in_flight[32];
    size_t busy = readable ? connections_count(&connections, CONNECTION_IN_FLIGHT) : 0;

    table_color(table, phase == 0 ? COLOR_PLAIN : COLOR_YELLOW);
    table_row(table, number((size_t)leader->pid, pid, sizeof(pid)),
              text_visible(leader->process.name), view_phase(phase),
              number(living(view), members, sizeof(members)),
              readable ? number(connections.count, open, sizeof(open)) : "?",
              readable ? number(busy, in_flight, sizeof(in_flight)) : "?",
              text_duration((process_now_ms() - leader->process.began_ms) * 1000000),
              readable ? listeners_of(&connections) : "?");
    if (readable) {
        connections_free(&connections);
    }
}

static void add_object(cJSON *rows, const struct family_view *view)
{
    cJSON *row = cJSON_CreateObject();
    struct connections connections;
    bool readable = connections_read(view, &connections) == 0;

    (void)cJSON_AddItemToArray(rows, row);
    describe_head(row, view);
    json_add_count(row, "members", living(view));
    describe_sockets(row, readable ? &connections : NULL, false);
    if (readable) {
        connections_free(&connections);
    }
}

static bool print_json(const struct families *families)
{
    cJSON *rows = cJSON_CreateArray();

    for (size_t i = 0; i < families->count; i++) {
        add_object(rows, &families->views[i]);
    }
    return output_json(rows);
}

static void print_table(const struct families *families)
{
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < families->count; i++) {
        add_row(table, &families->views[i]);
    }
    table_print(table, 0);
}

static void print_pids(const struct families *families)
{
    for (size_t i = 0; i < families->count; i++) {
        (void)printf("%d\n", (int)describe_leader(&families->views[i])->pid);
    }
}

static enum status run(struct call *call)
{
    struct families families = {.views = NULL};
    bool good = true;

    (void)find_clean(call->values[OPTION_RUN_DIR]);
    find_all(call->values[OPTION_RUN_DIR], keep, &families);
    if (families.count > 0) {
        qsort(families.views, families.count, sizeof(*families.views), by_pid);
    }
    if (call->values[OPTION_JSON]) {
        good = print_json(&families);
    } else if (call->values[OPTION_QUIET]) {
        print_pids(&families);
    } else if (families.count > 0) {
        print_table(&families);
    } else {
        say("no server runs under fluxshim here");
    }
    for (size_t i = 0; i < families.count; i++) {
        view_close(&families.views[i]);
    }
    free(families.views);
    return good ? STATUS_OK : STATUS_NO;
}

const struct command command_list = {
    .name = "list",
    .arguments = "",
    .summary = "the servers that run under fluxshim",
    .details =
        "Those of this user, for root of all users. What servers that were killed have left\n"
        "behind is removed.",
    COMMAND_OPTIONS(options),
    .run = run,
};
