/* SPDX-License-Identifier: MIT */
/* fluxctl list: the servers that run under fluxshim. */
/* Context: a program of one thread. */
#include "command.h"

static enum status run(struct call *call)
{
    (void)call;
    return STATUS_OK;
}

static const struct option_row options[] = {
    {.name = "json", .letter = 'j', .text = "as JSON"},
};

const struct command command_list = {
    .name = "list",
    .arguments = "",
    .summary = "the servers that run under fluxshim",
    .details = "",
    COMMAND_OPTIONS(options),
    .run = run,
};
