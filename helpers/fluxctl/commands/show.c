/* SPDX-License-Identifier: MIT */
/* fluxctl show: a checkpoint as a person reads it. */
/* Context: a program of one thread. */
#include <inttypes.h>
#include <langinfo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "document/open.h"
#include "document/words.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/text.h"
#include "lib/wrap.h"

#define ROWS_SHOWN  20
#define BAR_COLUMNS 24
#define BAR_BYTES   (3 * BAR_COLUMNS + 1)
#define NS_PER_S    INT64_C(1000000000)
#define ROWS(table) (table), sizeof(table) / sizeof((table)[0])

enum { OPTION_JSON, OPTION_ALL };

static const struct option_row options[] = {
    [OPTION_JSON] = {.name = "json", .letter = 'j', .text = "the checked document, as JSON"},
    [OPTION_ALL] = {.name = "all", .letter = 'a', .text = "each connection that was left"},
};

static void heading(const char *text)
{
    (void)putchar('\n');
    wrap_print(text, 0, COLOR_BOLD);
}

/* Head ----------------------------------------------------------------------------------------- */

static void print_stop(const struct document *document)
{
    bool forced = document->connections.forced > 0;

    wrap_printf(0, COLOR_PLAIN, "stopped by %s%s", words_why(document),
                document->second_signal ? ", and a second one ended the drain" : "");
    wrap_printf(0, COLOR_PLAIN, "on %s, in %s", words_time(document->began_at),
                words_ms(document->duration_ms));
    if (!isnan(document->refused_ms)) {
        wrap_printf(0, COLOR_PLAIN, "new connections were refused after %s",
                    words_ms(document->refused_ms));
    }
    wrap_print(words_outcome(document), 0, forced ? COLOR_RED : COLOR_GREEN);
}

static void print_head(const struct document *document)
{
    wrap_printf(0, COLOR_BOLD, "%s (pid %" PRId64 "), generation %" PRId64,
                text_visible(document->process.name), document->process.pid, document->generation);
    if (words_is_serving(document)) {
        wrap_printf(0, COLOR_PLAIN, "written while it served, on %s",
                    words_time(document->written_at));
        wrap_print(words_outcome(document), 0, COLOR_PLAIN);
    } else {
        print_stop(document);
    }
}

/* Phases --------------------------------------------------------------------------------------- */

static double end_of(const struct document *document)
{
    double end = isnan(document->duration_ms) ? 0 : document->duration_ms;

    for (size_t i = 0; i < document->phase_count; i++) {
        const struct document_phase *phase = &document->phases[i];
        double ends = phase->start_ms + (isnan(phase->duration_ms) ? 0 : phase->duration_ms);

        end = ends > end ? ends : end;
    }
    return end;
}

static size_t column_of(double ms, double end)
{
    double column = end > 0 ? ms / end * BAR_COLUMNS : 0;

    return column <= 0 ? 0 : column >= BAR_COLUMNS ? BAR_COLUMNS : (size_t)(column + 0.5);
}

/* Where it lies in the whole, at least one column wide. */
static void draw_bar(char *bar, const struct document_phase *phase, double end)
{
    const char *block = strcmp(nl_langinfo(CODESET), "UTF-8") == 0 ? "\xe2\x96\x88" : "#";
    double ends = isnan(phase->duration_ms) ? end : phase->start_ms + phase->duration_ms;
    size_t from = column_of(phase->start_ms, end), to = column_of(ends, end);
    char *at = bar;

    from = from >= BAR_COLUMNS ? BAR_COLUMNS - 1 : from;
    to = to <= from ? from + 1 : to;
    for (size_t i = 0; i < to; i++) {
        at = stpcpy(at, i < from ? " " : block);
    }
}

static void print_phases(const struct document *document)
{
    static const struct table_column columns[] = {
        {"PHASE", TABLE_LEFT}, {"TOOK", TABLE_RIGHT}, {"AT", TABLE_RIGHT}, {"", TABLE_LEFT}};
    double end = end_of(document);

    if (document->phase_count == 0) {
        return;
    }
    struct table *table = table_new(ROWS(columns));

    for (size_t i = 0; i < document->phase_count; i++) {
        const struct document_phase *phase = &document->phases[i];
        char bar[BAR_BYTES];

        draw_bar(bar, phase, end);
        table_row(table, text_visible(phase->name), words_ms(phase->duration_ms),
                  words_ms(phase->start_ms), bar);
    }
    heading("Phases");
    table_print(table, 2);
}

/* Listeners and connections -------------------------------------------------------------------- */

static void print_listeners(const struct document *document)
{
    static const struct table_column columns[] = {{"ADDRESS", TABLE_LEFT},
                                                  {"ACCEPTED", TABLE_RIGHT},
                                                  {"RESCUED", TABLE_RIGHT},
                                                  {"REFUSED BY", TABLE_LEFT}};

    if (document->listener_count == 0) {
        return;
    }
    struct table *table = table_new(ROWS(columns));

    for (size_t i = 0; i < document->listener_count; i++) {
        const struct document_listener *listener = &document->listeners[i];

        table_row(table, text_visible(listener->address), words_number(listener->accepted),
                  words_number(listener->rescued), text_visible(listener->refusal));
    }
    heading("Listeners");
    table_print(table, 2);
}

static int compare_age(const void *a, const void *b)
{
    const struct document_connection *one = a, *other = b;

    return one->age_ms > other->age_ms   ? -1
           : one->age_ms < other->age_ms ? 1
                                         : (one->fd > other->fd) - (one->fd < other->fd);
}

static void print_remaining(struct document_connections *connections, bool all)
{
    static const struct table_column columns[] = {
        {"PEER", TABLE_LEFT},   {"STATE", TABLE_LEFT}, {"WHY", TABLE_LEFT},  {"AGE", TABLE_RIGHT},
        {"QUIET", TABLE_RIGHT}, {"IN", TABLE_RIGHT},   {"OUT", TABLE_RIGHT}, {"", TABLE_LEFT}};
    size_t count = connections->remaining_count;
    size_t shown = all || count <= ROWS_SHOWN ? count : ROWS_SHOWN;

    if (count == 0) {
        return;
    }
    struct table *table = table_new(ROWS(columns));

    qsort(connections->remaining, count, sizeof(*connections->remaining), compare_age);
    for (size_t i = 0; i < shown; i++) {
        const struct document_connection *one = &connections->remaining[i];

        table_row(table, text_visible(one->peer), text_visible(one->state), text_visible(one->why),
                  words_ms(one->age_ms), words_ms(one->quiet_ms), words_bytes(one->received),
                  words_bytes(one->sent), one->forced ? "ended" : "");
    }
    wrap_print("those that were left, the oldest first:", 2, COLOR_PLAIN);
    table_print(table, 2);
    if (shown < count) {
        wrap_printf(2, COLOR_PLAIN, "and %zu more: --all shows them", count - shown);
    }
    if (connections->omitted > 0) {
        wrap_printf(2, COLOR_PLAIN, "and %" PRId64 " that the checkpoint had no room for",
                    connections->omitted);
    }
}

static void print_connections(struct document_connections *connections, bool all)
{
    static const struct table_column columns[] = {
        {"AT SIGNAL", TABLE_RIGHT}, {"RESCUED", TABLE_RIGHT}, {"FINISHED", TABLE_RIGHT},
        {"ENDED", TABLE_RIGHT},     {"NUDGED", TABLE_RIGHT},  {"OPEN", TABLE_RIGHT},
        {"ACCEPTED", TABLE_RIGHT}};
    struct table *table = table_new(ROWS(columns));

    table_row(table, words_number(connections->at_signal), words_number(connections->rescued),
              words_number(connections->drained), words_number(connections->forced),
              words_number(connections->nudged), words_number(connections->open),
              words_number(connections->accepted));
    heading("Connections");
    table_print(table, 2);
    print_remaining(connections, all);
}

/* The rest ------------------------------------------------------------------------------------- */

static void print_members(const struct document *document)
{
    static const struct table_column columns[] = {
        {"PID", TABLE_RIGHT},       {"ROLE", TABLE_LEFT},      {"STATUS", TABLE_LEFT},
        {"AT SIGNAL", TABLE_RIGHT}, {"FINISHED", TABLE_RIGHT}, {"ENDED", TABLE_RIGHT},
        {"ACCEPTED", TABLE_RIGHT}};

    if (document->member_count == 0) {
        return;
    }
    struct table *table = table_new(ROWS(columns));

    for (size_t i = 0; i < document->member_count; i++) {
        const struct document_member *member = &document->members[i];

        table_color(table, member->forced > 0 ? COLOR_RED : COLOR_PLAIN);
        table_row(table, words_number(member->pid), text_visible(member->role),
                  text_visible(member->status), words_number(member->at_signal),
                  words_number(member->drained), words_number(member->forced),
                  words_number(member->accepted));
    }
    heading("Processes");
    table_print(table, 2);
}

static void print_hooks(const struct document *document)
{
    static const struct table_column columns[] = {{"HOOK", TABLE_LEFT},
                                                  {"STATUS", TABLE_LEFT},
                                                  {"TOOK", TABLE_RIGHT},
                                                  {"PRIORITY", TABLE_RIGHT},
                                                  {"ERROR", TABLE_LEFT}};

    if (document->hook_count == 0) {
        return;
    }
    struct table *table = table_new(ROWS(columns));

    for (size_t i = 0; i < document->hook_count; i++) {
        const struct document_hook *hook = &document->hooks[i];

        table_color(table, words_hook_is_good(hook) ? COLOR_PLAIN : COLOR_RED);
        table_row(table, text_visible(hook->name), text_visible(hook->status), words_ms(hook->ms),
                  words_number(hook->priority), hook->error ? text_visible(hook->error) : "");
    }
    heading("Hooks");
    table_print(table, 2);
}

static void print_files(const struct document *document)
{
    static const struct table_column columns[] = {{"SINCE START", TABLE_LEFT},
                                                  {"SIZE", TABLE_RIGHT},
                                                  {"CHANGED", TABLE_LEFT},
                                                  {"PATH", TABLE_LEFT}};

    if (document->file_count == 0) {
        return;
    }
    struct table *table = table_new(ROWS(columns));

    for (size_t i = 0; i < document->file_count; i++) {
        const struct document_file *file = &document->files[i];

        table_color(table, strcmp(file->since_start, "lost") == 0 ? COLOR_RED : COLOR_PLAIN);
        table_row(table, text_visible(file->since_start), words_bytes(file->size),
                  words_time(file->mtime), text_visible(file->path));
    }
    heading("State files");
    table_print(table, 2);
}

static void print_lifetime(const struct document_lifetime *lifetime)
{
    int64_t seconds =
        lifetime->seconds < INT64_MAX / NS_PER_S ? lifetime->seconds : INT64_MAX / NS_PER_S;

    heading("Over all starts");
    wrap_printf(2, COLOR_PLAIN,
                "%" PRId64 " starts, %" PRId64 " stops, %s accepted, %" PRId64
                " finished at a stop, %" PRId64 " ended, %s of service",
                lifetime->starts, lifetime->stops, words_connections(lifetime->accepted),
                lifetime->drained, lifetime->forced, text_duration(seconds * NS_PER_S));
}

static void print_all(struct document *document, bool all)
{
    print_head(document);
    print_phases(document);
    print_listeners(document);
    print_connections(&document->connections, all);
    print_members(document);
    print_hooks(document);
    print_files(document);
    print_lifetime(&document->lifetime);
}

static enum status run(struct call *call)
{
    struct document document;
    enum status status = document_open(call->arguments[0], &document);

    if (status != STATUS_OK) {
        return status;
    }
    if (call->values[OPTION_JSON]) {
        status = output_json(document_json(&document)) ? STATUS_OK : STATUS_NO;
    } else {
        print_all(&document, call->values[OPTION_ALL] != NULL);
    }
    document_free(&document);
    return status;
}

const struct command command_show = {
    .name = "show",
    .arguments = "FILE",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_FILE,
    .summary = "a checkpoint, for reading",
    .details = "FILE is what FLUX_CHECKPOINT names, '-' is stdin.",
    COMMAND_OPTIONS(options),
    .run = run,
};
