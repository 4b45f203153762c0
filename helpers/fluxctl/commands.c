/* SPDX-License-Identifier: MIT */
/* The commands, in the order in which help shows them. */
/* Context: a program of one thread. */
#include <string.h>

#include "command.h"

extern const struct command command_list;
extern const struct command command_status;
extern const struct command command_watch;
extern const struct command command_metrics;
extern const struct command command_stop;
extern const struct command command_drain;
extern const struct command command_resume;
extern const struct command command_checkpoint;

const struct command *const commands[] = {
    &command_list, &command_status, &command_watch,  &command_metrics,
    &command_stop, &command_drain,  &command_resume, &command_checkpoint,
};
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
