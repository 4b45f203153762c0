/* SPDX-License-Identifier: MIT */
/* What fluxctl watch knows at each look, and the three ways to show it. */
/* Context: a program of one thread. */

/*
 * commands/watch.c looks, finds out what is new, and calls the functions of one `struct watch_display`:
 * for a terminal, as lines of text, or as JSON. Each returns false when what it writes to is gone.
 */
#ifndef FLUXCTL_COMMANDS_WATCH_H
#define FLUXCTL_COMMANDS_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "family/connections.h"
#include "family/view.h"

enum { WATCH_OLDEST = 5 };

enum watch_how {
    WATCH_GOES_ON,
    WATCH_DRAINED,   /* by itself */
    WATCH_FORCED,    /* some were cut off */
    WATCH_EXITED,    /* the program's own wish */
    WATCH_SERVES_ON, /* exec'd itself in answer to its signal */
    WATCH_DIED       /* without the rest */
};

struct watch {
    const char *run_dir;
    struct family_view view;
    pid_t pid; /* of the process that is waited for: the owner */
    char name[64];
    int pidfd;
    int64_t now_ns;
    int64_t began_ns; /* of the stop, 0: not yet */

    bool has_connections; /* else they can't be read, or don't matter any more */
    struct connections connections;
    int64_t connections_at_ns; /* look at them again then */

    bool has_changed; /* in this look: the number of those left */
    bool second_has_passed;
    int64_t second_ns;
    uint64_t left; /* as of the last look */

    uint32_t told_phases; /* bits */
    uint32_t told_hook;
    bool told_stop, told_second_signal;
    int64_t successor_at_ns; /* look for one again then */
    enum watch_how how;
};

struct watch_display {
    bool (*begin)(struct watch *watch);
    bool (*leader)(struct watch *watch); /* another process leads now */
    bool (*stop)(struct watch *watch);   /* it begins */
    bool (*phase)(struct watch *watch, uint32_t phase);
    bool (*hook)(struct watch *watch);
    bool (*second_signal)(struct watch *watch);
    bool (*look)(struct watch *watch);         /* each time, after the rest */
    bool (*wait)(struct watch *watch, int ms); /* until the next look, or the process's end */
    bool (*end)(struct watch *watch);
};

extern const struct watch_display watch_screen, watch_lines, watch_events;

/* Is a phase that has been entered one to tell a person of? */
bool watch_is_step(const struct watch *watch, uint32_t phase);

/* Has the drain begun? */
bool watch_is_counted(const struct watch *watch);

/* How many connections are left: those of the stop, or those that are open. False: not known. */
bool watch_left(const struct watch *watch, uint64_t *ret_left);

/* "refuse", "drain", ...: a phase as a step. */
const char *watch_step(uint32_t phase);

/* "ended after 3.4 s: 30 drained (2 nudged), 0 forced, 2 hooks"; static. */
const char *watch_summary(const struct watch *watch);

/* "SIGTERM from pid 12", "a demand", "its own exit"; static. */
const char *watch_cause(const struct watch *watch);

/* "12.3 s", "no end"; one of the rotating buffers of lib/text.h. */
const char *watch_time_left(const struct watch *watch, int64_t until);

/* For those that are no terminal: the process's end, the time, or nobody reads any more (false). */
bool watch_wait_for(const struct watch *watch, int ms);

#endif
