/* SPDX-License-Identifier: MIT */
/* The completion for zsh. */
/* Context: a program of one thread. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands/completion.h"
#include "lib/options.h"

/* In single quotes for the shells: those within are left out of what is for people anyway. */
static void print_quoted(const char *text, const char *escaped)
{
    for (; *text; text++) {
        if (*text == '\'') {
            (void)printf("'\\''");
        } else {
            (void)printf("%s%c", strchr(escaped, *text) ? "\\" : "", *text);
        }
    }
}

static void zsh_action(const char *argument, enum completes completes)
{
    if (completion_is_choice(argument)) {
        (void)printf("(");
        completion_print_choice(argument, ' ');
        (void)printf(")");
        return;
    }
    static const char *const actions[] = {[COMPLETES_NOTHING] = " ",
                                          [COMPLETES_PID] = "_fluxctl_pids",
                                          [COMPLETES_FILE] = "_files",
                                          [COMPLETES_PROGRAM] = "_fluxctl_programs"};

    (void)printf("%s", actions[completes]);
}

static void zsh_option(const struct command *command, const struct option_row *row)
{
    char name[OPTION_NAME_SIZE];

    (void)command;
    (void)options_name(row, name);
    for (int letter = 0; letter < (row->letter != '\0' ? 2 : 1); letter++) {
        char short_name[2] = {row->letter, '\0'};

        (void)printf("                '%s-%s%s%s[", row->repeats ? "*" : "", letter ? "" : "-",
                     letter ? short_name : name, row->argument && !letter ? "=" : "");
        print_quoted(row->text, "[]:\\");
        (void)printf("]");
        if (row->argument) {
            (void)printf(":");
            print_quoted(row->argument, "[]:\\");
            (void)printf(":");
            zsh_action(row->argument, row->completes);
        }
        (void)printf("' \\\n");
    }
}

static void zsh_command(const struct command *command)
{
    (void)printf("        %s)\n            _arguments -s %s\\\n", command->name,
                 command->stops_at_first ? "-A '-*' " : "");
    completion_each_option(command, zsh_option);
    if (command->stops_at_first) {
        (void)printf("                '1:program:_fluxctl_programs' '*::argument:_normal'");
    } else if (command->most > 0) {
        (void)printf("                '*:");
        print_quoted(command->arguments, "[]:\\");
        (void)printf(":");
        zsh_action(command->arguments, command->completes);
        (void)printf("'");
    }
    (void)printf(" ;;\n");
}

void completion_zsh(void)
{
    (void)puts("#compdef fluxctl\n"
               "# zsh completion of fluxctl, made by `fluxctl completion zsh`\n"
               "_fluxctl_pids() { local -a pids=(${(f)\"$(" COMPLETION_PIDS
               ")\"}); compadd -a pids }\n"
               "_fluxctl_programs() { _alternative 'commands:command:_path_commands' "
               "'files:file:_files' }\n"
               "_fluxctl() {\n"
               "    local -a names=(");
    for (size_t i = 0; i < command_count; i++) {
        (void)printf("        '%s:", commands[i]->name);
        print_quoted(commands[i]->summary, "\\");
        (void)puts("'");
    }
    (void)puts("        'help:what a command does'\n"
               "    )\n"
               "    if ((CURRENT == 2)); then _describe command names; return; fi\n"
               "    shift words; ((CURRENT--))\n"
               "    case $words[1] in\n"
               "        help) _describe command names ;;");
    for (size_t i = 0; i < command_count; i++) {
        zsh_command(commands[i]);
    }
    (void)puts("    esac\n"
               "}\n"
               "# Autoloaded as a function it is called, sourced it is registered.\n"
               "if [ \"$funcstack[1]\" = _fluxctl ]; then _fluxctl \"$@\"; else compdef _fluxctl "
               "fluxctl; fi");
}
