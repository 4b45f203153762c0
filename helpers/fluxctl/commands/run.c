/* SPDX-License-Identifier: MIT */
/* fluxctl run: starts a program under fluxshim. */
/* Context: a program of one thread, which becomes another. */
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "format/settings.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"
#include "program/check.h"
#include "program/library.h"

#define PRELOAD "LD_PRELOAD"

/* The settings come first, so that an option of theirs has the number of its setting. */
enum { OPTION_DRAIN = SETTINGS_COUNT, OPTION_HOOK, OPTION_LIBRARY, OPTION_QUIET };

#define ARGUMENT_SETTINGS_DURATION        "TIME"
#define ARGUMENT_SETTINGS_DURATION_OR_OFF "TIME"
#define ARGUMENT_SETTINGS_SWITCH          "on|off"
#define ARGUMENT_SETTINGS_SIGNALS         "SIGNALS"
#define ARGUMENT_SETTINGS_LOG             "LEVEL:TARGET"
#define ARGUMENT_SETTINGS_PATH            "PATH"
#define ARGUMENT_SETTINGS_LIST            "LIST"
#define COMPLETES(kind)                                                                            \
    ((kind) == SETTINGS_PATH || (kind) == SETTINGS_LIST ? COMPLETES_FILE : COMPLETES_NOTHING)
#define OPTION(NAME, field, kind, initial, shown, description)                                     \
    [SETTING_##NAME] = {.name = #field,                                                            \
                        .argument = ARGUMENT_##kind,                                               \
                        .text = description,                                                       \
                        .completes = COMPLETES(kind)},

static const struct option_row options[] = {
    SETTINGS_ROWS(OPTION) /* one for each */
        [OPTION_DRAIN] = {.name = "drain",
                          .letter = 'd',
                          .argument = "TIME",
                          .text = "The same as --drain-timeout."},
    [OPTION_HOOK] = {.name = "hook",
                     .argument = "HOOK[=PRIORITY]",
                     .text = "One more of --hooks; may be given several times.",
                     .completes = COMPLETES_FILE,
                     .repeats = true},
    [OPTION_LIBRARY] = {.name = "library",
                        .argument = "PATH",
                        .text =
                            "The libfluxshim.so to preload; by default the one of this fluxctl.",
                        .completes = COMPLETES_FILE},
    [OPTION_QUIET] = {.name = "quiet",
                      .letter = 'q',
                      .text = "Don't say beforehand that it will not work."},
};
#undef OPTION

/* ---- settings ---- */

/* Exported if it is allowed; `option` is how it was given. */
static bool set(struct settings *settings, size_t id, const char *option, const char *value)
{
    const struct settings_row *row = &settings_rows()[id];

    if (settings_set(settings, row->name, value, SETTINGS_ENVIRONMENT, &row) != 0) {
        say("--%s=%s: allowed is %s", option, text_visible(value), row->allowed);
        return false;
    }
    if (setenv(row->name, value, 1) != 0) {
        say("can't set %s: %s", row->name, strerror(errno));
        return false;
    }
    return true;
}

/* --hooks and each --hook, joined. */
static bool set_hooks(struct settings *settings, const struct call *call)
{
    char joined[SETTINGS_LIST_SIZE + 1] = "";
    const char *list = call->values[SETTING_HOOKS], *hook;
    size_t at = 0;

    if (list) {
        (void)strlcpy(joined, list, sizeof(joined));
    }
    while ((hook = options_next(call, OPTION_HOOK, &at)) != NULL) {
        (void)strlcat(joined, joined[0] ? ":" : "", sizeof(joined));
        (void)strlcat(joined, hook, sizeof(joined)); /* what is too long is refused below */
    }
    return set(settings, SETTING_HOOKS, call->values[OPTION_HOOK] ? "hook" : "hooks", joined);
}

static bool set_settings(const struct call *call)
{
    static struct settings settings;
    const char *drain = call->values[OPTION_DRAIN];
    char name[OPTION_NAME_SIZE];

    settings_init(&settings);
    for (size_t id = 0; id < SETTINGS_COUNT; id++) {
        const char *value = call->values[id];

        if (value && id != SETTING_HOOKS &&
            !set(&settings, id, options_name(&options[id], name), value)) {
            return false;
        }
    }
    if (drain && !set(&settings, SETTING_DRAIN_TIMEOUT, "drain", drain)) {
        return false;
    }
    return !(call->values[SETTING_HOOKS] || call->values[OPTION_HOOK]) ||
           set_hooks(&settings, call);
}

/* ---- the library ---- */

static bool find_library(const char *given, char *path)
{
    int error;

    if (given && (error = library_absolute(given, path)) != 0) {
        say("--library=%s: %s", text_visible(given), strerror(-error));
        return false;
    }
    if (!given && !library_find(path)) {
        say("libfluxshim.so isn't found: --library says where it is");
        return false;
    }
    if (strpbrk(path, ": ")) {
        say("%s: LD_PRELOAD can't have a path with ':' or a blank in it", text_visible(path));
        return false;
    }
    return true;
}

/* Before what is preloaded already: the first definition of a call is the one that is taken. */
static bool preload(const char *path)
{
    const char *others = getenv(PRELOAD);
    char *both = NULL;

    if (!others || others[0] == '\0') {
        return setenv(PRELOAD, path, 1) == 0;
    }
    bool done = asprintf(&both, "%s:%s", path, others) >= 0 && setenv(PRELOAD, both, 1) == 0;

    free(both);
    return done;
}

/* ---- the program ---- */

static void warn_if_useless(const char *program)
{
    struct report report;

    if (check_program(program, &report) == 0 && report_verdict(&report) == VERDICT_NO) {
        for (size_t i = 0; i < report.count; i++) {
            const struct finding_row *row = finding_row(report.found[i].finding);

            if (row->level == FINDING_STOP) {
                say("%s will not be shut down gracefully: %s", text_visible(program), row->text);
            }
        }
    }
    report_free(&report);
}

static enum status become(char **arguments)
{
    (void)fflush(NULL);
    (void)execvp(arguments[0], arguments);
    int error = errno;

    say("%s: %s", text_visible(arguments[0]), strerror(error));
    return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static enum status run(struct call *call)
{
    char library[PATH_MAX];

    if (!set_settings(call) || !find_library(call->values[OPTION_LIBRARY], library)) {
        return STATUS_NOT_STARTED;
    }
    if (!call->values[OPTION_QUIET]) {
        warn_if_useless(call->arguments[0]);
    }
    if (!preload(library)) {
        say("can't set LD_PRELOAD: %s", strerror(errno));
        return STATUS_NOT_STARTED;
    }
    return become(call->arguments);
}

const struct command command_run = {
    .name = "run",
    .arguments = "PROGRAM [ARGUMENT]...",
    .least = 1,
    .most = SIZE_MAX,
    .completes = COMPLETES_PROGRAM,
    .summary = "start a program under fluxshim",
    .details =
        "Each option is a setting, as in fluxshim(7); those of the environment and of the file of\n"
        "--config count where there is no option. The program takes the place of fluxctl: its "
        "exit\n"
        "status is its own. 125: it was not started, 126: it can't be executed, 127: it isn't "
        "found.",
    COMMAND_OPTIONS(options),
    .stops_at_first = true,
    .usage = STATUS_NOT_STARTED,
    .run = run,
};
