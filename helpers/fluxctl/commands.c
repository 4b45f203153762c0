/* SPDX-License-Identifier: MIT */
/* The commands, in the order in which help shows them. */
/* Context: a program of one thread. */
#include <string.h>

#include "command.h"

extern const struct command command_run;
extern const struct command command_check;
extern const struct command command_list;
extern const struct command command_status;
extern const struct command command_watch;
extern const struct command command_stop;
extern const struct command command_drain;
extern const struct command command_resume;
extern const struct command command_checkpoint;
extern const struct command command_show;
extern const struct command command_diff;
extern const struct command command_report;
extern const struct command command_metrics;
extern const struct command command_completion;

/* clang-format off */
const struct command *const commands[] = {
    &command_run,
    &command_check,
    &command_list,
    &command_status,
    &command_watch,
    &command_stop,
    &command_drain,
    &command_resume,
    &command_checkpoint,
    &command_show,
    &command_diff,
    &command_report,
    &command_metrics,
    &command_completion,
};
/* clang-format on */
const size_t command_count = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}
