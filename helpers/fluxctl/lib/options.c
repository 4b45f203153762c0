/* SPDX-License-Identifier: MIT */
/* Translates a table of options for getopt_long(3). */
/* Context: a program of one thread. */
#include "lib/options.h"

#include <bsd/stdlib.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/settings.h"
#include "lib/output.h"
#include "lib/text.h"

enum { VALUE_HELP = 256, VALUE_COLOR, VALUE_ROWS };

static struct option *long_options(const struct command *command)
{
    struct option *options = calloc(command->option_count + 3, sizeof(*options));

    if (!options) {
        return NULL;
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct option_row *row = &command->options[i];

        options[i] = (struct option){row->name, row->argument ? required_argument : no_argument,
                                     NULL, VALUE_ROWS + (int)i};
    }
    options[command->option_count] = (struct option){"help", no_argument, NULL, VALUE_HELP};
    options[command->option_count + 1] =
        (struct option){"color", required_argument, NULL, VALUE_COLOR};
    return options;
}

/* "+" or "", then each letter, with ':' where it takes an argument. */
static void short_options(const struct command *command, char *letters)
{
    *letters++ = command->stops_at_first ? '+' : ':';
    if (command->stops_at_first) {
        *letters++ = ':'; /* a missing argument is told apart from an unknown option */
    }
    *letters++ = 'h';
    for (size_t i = 0; i < command->option_count; i++) {
        if (command->options[i].letter != '\0') {
            *letters++ = command->options[i].letter;
            if (command->options[i].argument) {
                *letters++ = ':';
            }
        }
    }
    *letters = '\0';
}

static size_t row_of(const struct command *command, int value)
{
    size_t i = 0;

    while (value < VALUE_ROWS && i < command->option_count && command->options[i].letter != value) {
        i++;
    }
    return value >= VALUE_ROWS ? (size_t)(value - VALUE_ROWS) : i;
}

static bool take(struct call *call, int value, bool *help)
{
    if (value == 'h' || value == VALUE_HELP) {
        *help = true;
        return true;
    }
    if (value == VALUE_COLOR) {
        return output_color(optarg);
    }
    size_t row = row_of(call->command, value);

    if (row >= call->command->option_count) {
        return false;
    }
    call->values[row] = optarg ? optarg : "";
    return true;
}

static void say_wrong(int value, char **argv)
{
    const char *word = argv[optind > 1 ? optind - 1 : 1];
    char letter[3] = {'-', (char)optopt, '\0'};

    if (optopt != 0 && optopt < VALUE_HELP && strncmp(word, "--", 2) != 0) {
        word = letter;
    }
    say("%s '%s'",
        value == ':' ? "a value is missing behind" : "no such option, or not a whole one:",
        text_visible(word));
}

static bool count_fits(const struct command *command, size_t count)
{
    if (count < command->least) {
        say("too few arguments: it is '%s %s'", command->name, command->arguments);
    } else if (count > command->most) {
        say("too many arguments: it is '%s %s'", command->name,
            command->arguments[0] != '\0' ? command->arguments : "[options]");
    }
    return count >= command->least && count <= command->most;
}

static bool read_all(struct call *call, int argc, char **argv, const struct option *longs,
                     bool *help)
{
    char letters[64];
    int value;

    short_options(call->command, letters);
    opterr = 0;
    optind = 1;
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (value == '?' || value == ':') {
            say_wrong(value, argv);
            return false;
        }
        if (!take(call, value, help)) {
            return false;
        }
    }
    call->arguments = argv + optind;
    call->count = (size_t)(argc - optind);
    return *help || count_fits(call->command, call->count);
}

enum status options_read(const struct command *command, int argc, char **argv,
                         struct call *ret_call, bool *ret_help)
{
    struct option *longs = long_options(command);

    *ret_help = false;
    *ret_call = (struct call){.command = command,
                              .values = calloc(command->option_count + 1, sizeof(char *))};
    bool good = longs && ret_call->values && read_all(ret_call, argc, argv, longs, ret_help);

    free(longs);
    return good ? STATUS_OK : STATUS_USAGE;
}

void options_free(struct call *call)
{
    free(call->values);
}

bool options_pid(const char *text, pid_t *ret_pid)
{
    const char *error = NULL;
    long long value = strtonum(text, 1, INT_MAX, &error);

    if (error) {
        say("'%s' is no process id", text_visible(text));
        return false;
    }
    *ret_pid = (pid_t)value;
    return true;
}

bool options_duration(const char *option, const char *text, int64_t *ret_ns)
{
    if (settings_duration(text, ret_ns) != 0) {
        say("--%s=%s: allowed is a duration such as 30, 1.5s, 250ms, 2m or 1h", option,
            text_visible(text));
        return false;
    }
    return true;
}
