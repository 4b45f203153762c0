/* SPDX-License-Identifier: MIT */
/* What a command of fluxctl is: its name, its options as a table, and the function that does it. */
/* Context: a program of one thread. */

/*
 * A command is one file in commands/, with one `const struct command`. commands.c lists them in the
 * order in which help shows them. The table of options is the only place that knows them: parsing,
 * --help and the completions of the shells come from it. These are every command's, and in none's table:
 *
 *     -h, --help      what the command does and takes
 *         --color W   auto, always or never; NO_COLOR turns `auto` off (no-color.org)
 *
 * A command returns one of `enum status`, prints its answer to stdout, and everything else to stderr
 * through say() (lib/output.h). Nothing that comes from outside (names, paths, peers) is printed but
 * through text_visible() (lib/text.h): it may hold anything.
 */
#ifndef FLUXCTL_COMMAND_H
#define FLUXCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses: part of the interface, listed in fluxctl(1). */
enum status {
    STATUS_OK = 0,
    STATUS_NO = 1,        /* it could be asked, and the answer is no: not armed, differs, failed */
    STATUS_USAGE = 2,     /* an option or argument that can't be */
    STATUS_NOT_THERE = 3, /* no such process, or none with fluxshim; no such file */
    STATUS_NOT_ALLOWED = 4, /* somebody else's */
    STATUS_TIMEOUT = 5,     /* waited for, and it did not come */
    STATUS_FORCED = 6,      /* stop --wait: it ended, and connections were cut off */
    /* Of a command whose status is another program's, as env(1) has them: */
    STATUS_NOT_STARTED = 125,    /* fluxctl itself failed, or was asked for what can't be */
    STATUS_NOT_EXECUTABLE = 126, /* found, and can't be executed */
    STATUS_NOT_FOUND = 127
};

/* What the shells complete an argument to. */
enum completes { COMPLETES_NOTHING, COMPLETES_PID, COMPLETES_FILE, COMPLETES_PROGRAM };

struct option_row {
    const char *name; /* "drain" is --drain, and "lame_duck" is --lame-duck */
    char letter;      /* 'd' is -d, '\0': none */
    const char
        *argument; /* what it is called in the help, "on|off" if it is one of these; NULL: none */
    const char *text; /* one line of help */
    enum completes completes;
    bool repeats; /* each time counts, and not the last alone: options_next() has them */
};

struct given {
    size_t row; /* index in the table */
    const char *value;
};

/* What was given, by index in the table: NULL if it wasn't, "" for one without argument. */
struct call {
    const struct command *command;
    const char **values; /* the last of each */
    struct given *given; /* all, in their order */
    size_t given_count;
    char **arguments; /* what is left, ends with NULL */
    size_t count;
};

struct command {
    const char *name;
    const char
        *arguments; /* "PID", "[PID]...", "OLD NEW", "one|two" of which it is one; "" for none */
    size_t least, most; /* how many of them */
    enum completes completes;
    const char *summary; /* one line */
    const char *details; /* paragraphs for --help; "" for none */
    const struct option_row *options;
    size_t option_count;
    bool stops_at_first; /* options end at the first argument: they are the program's */
    enum status usage;   /* instead of STATUS_USAGE, where that may be the program's; 0: no */
    enum status (*run)(struct call *call);
};

#define COMMAND_OPTIONS(rows) .options = (rows), .option_count = sizeof(rows) / sizeof((rows)[0])

extern const struct command *const commands[];
extern const size_t command_count;

const struct command *command_find(const char *name);

#endif
