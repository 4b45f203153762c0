/* SPDX-License-Identifier: MIT */
/* One thing done to one file, without following a symlink and without touching a folder. */
/* Context: any thread; may block. */

/*
 * A POSIX lock (fcntl(2), lockf(3)) is lost when its process closes any descriptor of the file. The
 * server may hold one on its pid file: truncate, touch, unlink and rename therefore open nothing
 * but with O_PATH, which has no part in that. fsync can't do without.
 */
#ifndef FLUXSHIM_HOOKS_FILE_ACTION_H
#define FLUXSHIM_HOOKS_FILE_ACTION_H

#include <stdbool.h>
#include <sys/types.h>

enum actions {
    ACTION_FSYNC = 0,
    ACTION_TRUNCATE = 1,
    ACTION_UNLINK = 2,
    ACTION_RENAME = 3,
    ACTION_TOUCH = 4,
    ACTION_WRITE = 5
};

struct action {
    int what;         /* enum actions */
    const char *path; /* absolute */
    const char *to;   /* of rename */
    const char *text; /* of write */
    mode_t mode;      /* of a file that write or touch makes; the umask doesn't count */
    bool must_exist;  /* that there is no such file is an error */
    int when;         /* enum flux_phases */
    bool done;
};

/* By enum actions, NULL at the end: the names, and the keys that each may have. */
extern const char *const action_names[];
extern const char *const action_keys[];

/* The default of must_exist. */
bool action_needs_file(int what);

/* 0 or an errno value. */
int action_do(const struct action *action);

#endif
