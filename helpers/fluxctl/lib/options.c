/* SPDX-License-Identifier: MIT */
/* Translates a table of options for getopt_long(3). */
/* Context: a program of one thread. */
#include "lib/options.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/settings.h"
#include "lib/output.h"
#include "lib/text.h"

enum { VALUE_HELP = 256, VALUE_COLOR, VALUE_ROWS };

const struct option_row options_everywhere[] = {
    {.name = "color", .argument = "auto|always|never", .text = "whether to use colours"},
    {.name = "help", .letter = 'h', .text = "show this"}};
const size_t options_everywhere_count = sizeof(options_everywhere) / sizeof(options_everywhere[0]);

const char *options_name(const struct option_row *row, char name[OPTION_NAME_SIZE])
{
    (void)strlcpy(name, row->name, OPTION_NAME_SIZE);
    for (char *at = name; *at; at++) {
        *at = *at == '_' ? '-' : *at;
    }
    return name;
}

/* The names stand behind the options, in one piece of memory. */
static struct option *long_options(const struct command *command)
{
    size_t count = command->option_count + 3;
    struct option *options = calloc(count, sizeof(*options) + OPTION_NAME_SIZE);

    if (!options) {
        return NULL;
    }
    char(*names)[OPTION_NAME_SIZE] = (void *)&options[count];

    for (size_t i = 0; i < command->option_count; i++) {
        const struct option_row *row = &command->options[i];

        options[i] = (struct option){options_name(row, names[i]),
                                     row->argument ? required_argument : no_argument, NULL,
                                     VALUE_ROWS + (int)i};
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
    call->given[call->given_count++] = (struct given){row, call->values[row]};
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

/* No word has more options than letters. */
static size_t most_given(int argc, char **argv)
{
    size_t most = 1;

    for (int i = 0; i < argc; i++) {
        most += strlen(argv[i]);
    }
    return most;
}

enum status options_read(const struct command *command, int argc, char **argv,
                         struct call *ret_call, bool *ret_help)
{
    struct option *longs = long_options(command);

    *ret_help = false;
    *ret_call = (struct call){.command = command,
                              .values = calloc(command->option_count + 1, sizeof(char *)),
                              .given = calloc(most_given(argc, argv), sizeof(struct given))};
    bool good = longs && ret_call->values && ret_call->given &&
                read_all(ret_call, argc, argv, longs, ret_help);

    free(longs);
    return good ? STATUS_OK : command->usage ? command->usage : STATUS_USAGE;
}

void options_free(struct call *call)
{
    free(call->values);
    free(call->given);
}

const char *options_next(const struct call *call, size_t row, size_t *at)
{
    while (*at < call->given_count) {
        const struct given *given = &call->given[(*at)++];

        if (given->row == row) {
            return given->value;
        }
    }
    return NULL;
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
