/* SPDX-License-Identifier: MIT */
/* The completion for bash. */
/* Context: a program of one thread. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands/completion.h"
#include "lib/options.h"

static void bash_reply(const char *argument, enum completes completes)
{
    if (completion_is_choice(argument)) {
        (void)printf("_fluxctl_words '");
        completion_print_choice(argument, ' ');
        (void)printf("'");
        return;
    }
    switch (completes) {
    case COMPLETES_PID:
        (void)printf("_fluxctl_words \"$(" COMPLETION_PIDS ")\"");
        break;
    case COMPLETES_FILE:
        (void)printf("_fluxctl_files -f");
        break;
    case COMPLETES_PROGRAM:
        (void)printf("_fluxctl_program");
        break;
    case COMPLETES_NOTHING:
        (void)printf(":");
        break;
    }
}

/* What behind an option is its value. */
static void bash_value(const struct command *command, const struct option_row *row)
{
    char name[OPTION_NAME_SIZE];

    if (!row->argument) {
        return;
    }
    (void)printf("        %s:--%s", command->name, options_name(row, name));
    if (row->letter != '\0') {
        (void)printf(" | %s:-%c", command->name, row->letter);
    }
    (void)printf(") ");
    bash_reply(row->argument, row->completes);
    (void)printf("; return ;;\n");
}

static void bash_name(const struct command *command, const struct option_row *row)
{
    char name[OPTION_NAME_SIZE];

    (void)command;
    (void)printf(" --%s", options_name(row, name));
}

static void print_bash(void)
{
    (void)puts("# bash completion of fluxctl, made by `fluxctl completion bash`\n"
               "_fluxctl_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
               "_fluxctl_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < "
               "<(compgen \"$@\" -- \"$cur\"); }\n"
               "_fluxctl_program() {\n"
               "    if [[ $cur == */* ]]; then _fluxctl_files -f; else _fluxctl_files -c -f; fi\n"
               "}\n"
               "_fluxctl() {\n"
               "    local cur=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-} "
               "previous=${COMP_WORDS[COMP_CWORD-1]} i\n"
               "    COMPREPLY=()\n"
               "    # \"--option=value\" comes as three words.\n"
               "    if [[ $cur == = ]]; then cur=; elif [[ $previous == = ]]; then "
               "previous=${COMP_WORDS[COMP_CWORD-2]}; fi");
    (void)printf("    if ((COMP_CWORD == 1)); then _fluxctl_words '");
    completion_print_commands();
    (void)puts(" --help --version'; return; fi");
    (void)puts("    case $command:$previous in");
    (void)printf("        help:help) _fluxctl_words '");
    completion_print_commands();
    (void)puts("'; return ;;");
    for (size_t i = 0; i < command_count; i++) {
        completion_each_option(commands[i], bash_value);
    }
    (void)puts("    esac");
    (void)puts("    case $command in");
    for (size_t i = 0; i < command_count; i++) {
        (void)printf("        %s)\n", commands[i]->name);
        if (commands[i]->stops_at_first) {
            (void)puts("            _fluxctl_behind_program && { _fluxctl_files -f; return; }");
        }
        (void)printf("            if [[ $cur == -* ]]; then _fluxctl_words '");
        completion_each_option(commands[i], bash_name);
        (void)printf("'; else ");
        bash_reply(commands[i]->arguments, commands[i]->completes);
        (void)puts("; fi ;;");
    }
    (void)puts("    esac\n}");
}

static void bash_takes(const struct command *command, const struct option_row *row)
{
    char name[OPTION_NAME_SIZE];

    (void)command;
    if (row->argument) {
        (void)printf(" --%s", options_name(row, name));
        if (row->letter != '\0') {
            (void)printf(" -%c", row->letter);
        }
    }
}

/* Where does the program of `run` begin? Behind it all belongs to it. */
static void print_bash_behind(const struct command *command)
{
    (void)printf("_fluxctl_behind_program() {\n"
                 "    local i takes='");
    completion_each_option(command, bash_takes);
    (void)puts(" '\n"
               "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
               "        case ${COMP_WORDS[i]} in\n"
               "            --) return $((i + 1 >= COMP_CWORD)) ;;\n"
               "            =) ((++i)) ;;\n"
               "            -*) [[ ${COMP_WORDS[i+1]-} == = || $takes != *\" ${COMP_WORDS[i]} \"* "
               "]] || ((++i)) ;;\n"
               "            *) return 0 ;;\n"
               "        esac\n"
               "    done\n"
               "    return 1\n"
               "}");
}

void completion_bash(void)
{
    print_bash();
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i]->stops_at_first) {
            print_bash_behind(commands[i]);
        }
    }
    (void)puts("complete -F _fluxctl fluxctl");
}
