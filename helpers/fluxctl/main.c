/* SPDX-License-Identifier: MIT */
/* fluxctl: looks at servers that run under fluxshim, and stops them. */
/* Context: a program of one thread. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "lib/help.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

#ifndef FLUXCTL_VERSION
#define FLUXCTL_VERSION "unknown"
#endif

static enum status run(const struct command *command, int argc, char **argv)
{
    struct call call;
    bool help;
    enum status status = options_read(command, argc, argv, &call, &help);

    if (status == STATUS_OK && help) {
        help_of(command);
    } else if (status == STATUS_OK) {
        status = command->run(&call);
    } else {
        say("'fluxctl %s --help' says what it takes", command->name);
    }
    options_free(&call);
    if (fflush(stdout) != 0 && status == STATUS_OK) {
        status = STATUS_NO;
    }
    return status;
}

static enum status help(int argc, char **argv)
{
    const struct command *command = argc > 2 ? command_find(argv[2]) : NULL;

    if (argc > 2 && !command) {
        say("no command '%s'", text_visible(argv[2]));
        return STATUS_USAGE;
    }
    if (command) {
        help_of(command);
    } else {
        help_of_all();
    }
    return STATUS_OK;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

int main(int argc, char **argv)
{
    /* A preload of fluxshim is for the servers, and does nothing here: it never listens. */
    const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;

    (void)setlocale(LC_CTYPE, "");
    if (command) {
        return run(command, argc - 1, argv + 1);
    }
    if (argc > 1 && is_one_of(argv[1], "--version", "-V", "version")) {
        (void)puts("fluxctl " FLUXCTL_VERSION);
        return STATUS_OK;
    }
    if (argc > 1 && is_one_of(argv[1], "--help", "-h", "help")) {
        return help(argc, argv);
    }
    if (argc > 1) {
        say("no command '%s': 'fluxctl --help' lists them", text_visible(argv[1]));
    } else {
        help_of_all();
    }
    return STATUS_USAGE;
}
