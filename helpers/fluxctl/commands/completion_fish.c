/* SPDX-License-Identifier: MIT */
/* The completion for fish. */
/* Context: a program of one thread. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands/completion.h"
#include "lib/options.h"

static void fish_values(const char *argument, enum completes completes)
{
    if (completion_is_choice(argument)) {
        (void)printf(" -xa '");
        completion_print_choice(argument, ' ');
        (void)printf("'");
        return;
    }
    static const char *const values[] = {
        [COMPLETES_NOTHING] = " -x",
        [COMPLETES_PID] = " -xa '(" COMPLETION_PIDS ")'",
        [COMPLETES_FILE] = " -rF",
        [COMPLETES_PROGRAM] = " -rFa '(__fish_complete_command)'",
    };

    (void)printf("%s", values[completes]);
}

static void print_fish_quoted(const char *text)
{
    (void)putchar('\'');
    for (; *text; text++) {
        (void)printf("%s%c", strchr("'\\", *text) ? "\\" : "", *text);
    }
    (void)putchar('\'');
}

static void fish_option(const struct command *command, const struct option_row *row)
{
    char name[OPTION_NAME_SIZE];

    (void)printf("complete -c fluxctl -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                 options_name(row, name));
    if (row->letter != '\0') {
        (void)printf(" -s %c", row->letter);
    }
    if (row->argument) {
        fish_values(row->argument, row->completes);
    }
    (void)printf(" -d ");
    print_fish_quoted(row->text);
    (void)putchar('\n');
}

static void fish_command(const struct command *command)
{
    (void)printf("complete -c fluxctl -n __fish_use_subcommand -a %s -d ", command->name);
    print_fish_quoted(command->summary);
    (void)putchar('\n');
    if (command->completes != COMPLETES_NOTHING || completion_is_choice(command->arguments)) {
        (void)printf("complete -c fluxctl -n '__fish_seen_subcommand_from %s'", command->name);
        fish_values(command->arguments, command->completes);
        (void)putchar('\n');
    }
    completion_each_option(command, fish_option);
}

void completion_fish(void)
{
    (void)puts("# fish completion of fluxctl, made by `fluxctl completion fish`\n"
               "complete -c fluxctl -f");
    for (size_t i = 0; i < command_count; i++) {
        fish_command(commands[i]);
    }
    (void)printf("complete -c fluxctl -n __fish_use_subcommand -a help -d 'what a command does'\n"
                 "complete -c fluxctl -n '__fish_seen_subcommand_from help' -a '");
    completion_print_commands();
    (void)puts("'");
}
