/* SPDX-License-Identifier: MIT */
/* fluxctl check: will fluxshim work in a program? */
/* Context: a program of one thread. */
#include "program/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands/check.h"
#include "family/find.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

enum { OPTION_JSON, OPTION_LIVE, OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_JSON] = {.name = "json", .letter = 'j', .text = "as JSON"},
    [OPTION_LIVE] = {.name = "live",
                     .letter = 'l',
                     .argument = "PID",
                     .text = "of a process that runs: armed? all connections in its table?",
                     .completes = COMPLETES_PID},
    [OPTION_RUN_DIR] = FIND_OPTION,
};

static const struct {
    unsigned style;
    const char *name, *text;
} styles[] = {{STYLE_HANDLER, "handler", "a handler"},
              {STYLE_SIGWAIT, "sigwait", "sigwait"},
              {STYLE_SIGNALFD, "signalfd", "signalfd"}};
enum { STYLE_COUNT = sizeof(styles) / sizeof(styles[0]) };

/* ---- JSON ---- */

static void add_findings(cJSON *root, const struct report *report)
{
    cJSON *rows = cJSON_AddArrayToObject(root, "findings");

    for (size_t i = 0; i < report->count; i++) {
        const struct finding_row *kind = finding_row(report->found[i].finding);
        cJSON *row = cJSON_CreateObject();

        (void)cJSON_AddItemToArray(rows, row);
        json_add_text(row, "id", kind->id);
        json_add_text(row, "level", finding_level_name(kind->level));
        json_add_text(row, "text", kind->text);
        json_add_text(row, "detail", report->found[i].detail);
        json_add_text(row, "remedy", kind->remedy[0] ? kind->remedy : NULL);
    }
}

static void add_scripts(cJSON *root, const struct report *report)
{
    cJSON *scripts = cJSON_AddArrayToObject(root, "scripts");

    for (size_t i = 0; i < report->script_count; i++) {
        (void)cJSON_AddItemToArray(scripts, cJSON_CreateString(text_valid(report->scripts[i])));
    }
}

static void add_styles(cJSON *root, const struct report *report)
{
    cJSON *names = cJSON_AddArrayToObject(root, "signals");

    for (size_t i = 0; i < STYLE_COUNT; i++) {
        if (report->styles & styles[i].style) {
            (void)cJSON_AddItemToArray(names, cJSON_CreateString(styles[i].name));
        }
    }
}

static bool print_json(const struct report *report)
{
    static const char *const verdicts[] = {
        [VERDICT_WORKS] = "works", [VERDICT_LIMITS] = "limits", [VERDICT_NO] = "no"};
    static const char *const kinds[] = {
        [PROGRAM_NONE] = "none", [PROGRAM_DYNAMIC] = "dynamic", [PROGRAM_STATIC] = "static"};
    cJSON *root = cJSON_CreateObject();

    json_add_text(root, "program", report->name);
    json_add_text(root, "path", report->path);
    json_add_text(root, "verdict", verdicts[report_verdict(report)]);
    json_add_text(root, "kind", kinds[report->kind]);
    json_add_text(root, "loader", report->loader);
    json_add_text(root, "runtime", report->runtime);
    (void)cJSON_AddBoolToObject(root, "serves", report->serves);
    add_styles(root, report);
    add_scripts(root, report);
    add_findings(root, report);
    return output_json(root);
}

/* ---- text ---- */

static void print_verdict(enum verdict verdict)
{
    static const struct {
        enum color color;
        const char *text;
    } rows[] = {[VERDICT_WORKS] = {COLOR_GREEN, "works"},
                [VERDICT_LIMITS] = {COLOR_YELLOW, "works with limits"},
                [VERDICT_NO] = {COLOR_RED, "does not work"}};

    (void)printf("%s%s%s", color(rows[verdict].color), rows[verdict].text, color(COLOR_PLAIN));
}

static void print_signals(const struct report *report)
{
    const char *joint = "";

    if (report->kind != PROGRAM_DYNAMIC || (!report->serves && report->styles == 0)) {
        return;
    }
    (void)printf("  signals: ");
    for (size_t i = 0; i < STYLE_COUNT; i++) {
        if (report->styles & styles[i].style) {
            (void)printf("%s%s", joint, styles[i].text);
            joint = ", ";
        }
    }
    (void)printf("%s\n", report->styles == 0 ? "their default action" : "");
}

static void print_finding(const struct report *report, size_t i)
{
    static const enum color colors[] = {
        [FINDING_NOTE] = COLOR_DIM, [FINDING_LIMIT] = COLOR_YELLOW, [FINDING_STOP] = COLOR_RED};
    const struct finding_row *row = finding_row(report->found[i].finding);
    const char *detail = report->found[i].detail;

    (void)printf("  %s%s:%s %s%s%s%s\n", color(colors[row->level]), finding_level_name(row->level),
                 color(COLOR_PLAIN), row->text, detail ? " (" : "",
                 detail ? text_visible(detail) : "", detail ? ")" : "");
    if (row->remedy[0] != '\0') {
        (void)printf("    %s\n", row->remedy);
    }
}

static void print_text(const struct report *report)
{
    (void)printf("%s: ", text_visible(report->name));
    print_verdict(report_verdict(report));
    (void)putchar('\n');
    if (strcmp(report->path, report->name) != 0) {
        (void)printf("  runs: %s\n", text_visible(report->path));
    }
    if (report->runtime) {
        (void)printf("  runtime: %s\n", report->runtime);
    }
    print_signals(report);
    for (size_t i = 0; i < report->count; i++) {
        print_finding(report, i);
    }
}

enum status check_show(const struct report *report, bool json)
{
    bool printed = true;

    if (json) {
        printed = print_json(report);
    } else {
        print_text(report);
    }
    return printed && report_verdict(report) != VERDICT_NO ? STATUS_OK : STATUS_NO;
}

/* ---- of a file ---- */

static enum status say_error(const char *name, int error)
{
    say("%s: %s", text_visible(name), strerror(-error));
    switch (-error) {
    case ENOENT:
    case ENOTDIR:
        return STATUS_NOT_THERE;
    case EACCES:
    case EPERM:
        return STATUS_NOT_ALLOWED;
    default:
        return STATUS_NO;
    }
}

static enum status run_live(const struct call *call)
{
    pid_t pid;

    if (call->count > 0) {
        say("either PROGRAM or --live PID");
        return STATUS_USAGE;
    }
    return options_pid(call->values[OPTION_LIVE], &pid)
               ? check_live(pid, call->values[OPTION_RUN_DIR], call->values[OPTION_JSON] != NULL)
               : STATUS_USAGE;
}

static enum status run(struct call *call)
{
    const char *name = call->arguments[0];
    struct report report;

    if (call->values[OPTION_LIVE]) {
        return run_live(call);
    }
    if (!name) {
        say("too few arguments: PROGRAM, or --live PID");
        return STATUS_USAGE;
    }
    int error = check_program(name, &report);
    enum status status = error != 0 ? say_error(name, error)
                                    : check_show(&report, call->values[OPTION_JSON] != NULL);

    report_free(&report);
    return status;
}

const struct command command_check = {
    .name = "check",
    .arguments = "[PROGRAM]",
    .most = 1,
    .completes = COMPLETES_PROGRAM,
    .summary = "whether fluxshim will work in a program, and why not",
    .details =
        "PROGRAM is a path, or a name along PATH. It is read and not executed. Of a script, what\n"
        "runs it is looked at.",
    COMMAND_OPTIONS(options),
    .run = run,
};
