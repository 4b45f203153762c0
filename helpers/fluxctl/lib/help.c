/* SPDX-License-Identifier: MIT */
/* Prints what the tables of commands and options say. */
/* Context: a program of one thread. */
#include "lib/help.h"

#include <stdio.h>
#include <string.h>

#include "lib/options.h"
#include "lib/output.h"

#define OPTION_COLUMN 28

void help_of_all(void)
{
    (void)printf("%sfluxctl%s: looks at servers that run under fluxshim, and stops them\n\n"
                 "  fluxctl COMMAND [OPTION]... [ARGUMENT]...\n\n",
                 color(COLOR_BOLD), color(COLOR_PLAIN));
    for (size_t i = 0; i < command_count; i++) {
        (void)printf("  %s%-12s%s %s\n", color(COLOR_BOLD), commands[i]->name, color(COLOR_PLAIN),
                     commands[i]->summary);
    }
    (void)puts("\n'fluxctl COMMAND --help' says more of each, and fluxctl(1) all of it.");
}

static void print_option(const struct option_row *row)
{
    char left[128], name[OPTION_NAME_SIZE];

    (void)snprintf(left, sizeof(left), "%c%c%c --%s%s%s", row->letter ? '-' : ' ',
                   row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
                   options_name(row, name), row->argument ? " " : "",
                   row->argument ? row->argument : "");
    if (strlen(left) >= OPTION_COLUMN) {
        (void)printf("  %s\n  %*s %s\n", left, OPTION_COLUMN, "", row->text);
    } else {
        (void)printf("  %-*s %s\n", OPTION_COLUMN, left, row->text);
    }
}

void help_of(const struct command *command)
{
    (void)printf("%sfluxctl %s%s: %s\n\n  fluxctl %s [OPTION]...%s%s\n\n", color(COLOR_BOLD),
                 command->name, color(COLOR_PLAIN), command->summary, command->name,
                 command->arguments[0] ? " " : "", command->arguments);
    if (command->details[0]) {
        (void)printf("%s\n\n", command->details);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        print_option(&command->options[i]);
    }
    for (size_t i = 0; i < options_everywhere_count; i++) {
        print_option(&options_everywhere[i]);
    }
}
