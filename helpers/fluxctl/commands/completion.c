/* SPDX-License-Identifier: MIT */
/* fluxctl completion: what lets a shell complete fluxctl, made from the tables of commands and options. */
/* Context: a program of one thread. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "commands/completion.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

bool completion_is_choice(const char *argument)
{
    return argument && strchr(argument, '|') != NULL &&
           argument[strspn(argument, "abcdefghijklmnopqrstuvwxyz0123456789-|")] == '\0';
}

void completion_print_choice(const char *argument, char between)
{
    for (; *argument; argument++) {
        (void)putchar(*argument == '|' ? between : *argument);
    }
}

void completion_each_option(const struct command *command, completion_visit *visit)
{
    for (size_t i = 0; i < command->option_count; i++) {
        visit(command, &command->options[i]);
    }
    for (size_t i = 0; i < options_everywhere_count; i++) {
        visit(command, &options_everywhere[i]);
    }
}

void completion_print_commands(void)
{
    for (size_t i = 0; i < command_count; i++) {
        (void)printf("%s ", commands[i]->name);
    }
    (void)printf("help");
}

static enum status run(struct call *call)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", completion_bash}, {"zsh", completion_zsh}, {"fish", completion_fish}};

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(call->arguments[0], shells[i].name) == 0) {
            shells[i].print();
            return STATUS_OK;
        }
    }
    say("'%s': allowed are bash, zsh and fish", text_visible(call->arguments[0]));
    return STATUS_USAGE;
}

const struct command command_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .least = 1,
    .most = 1,
    .summary = "print a shell's completion of fluxctl",
    .details =
        "It is where the shells look for it once fluxshim is installed. For this shell alone:\n"
        "    source <(fluxctl completion bash)",
    .options = NULL,
    .option_count = 0,
    .run = run,
};
