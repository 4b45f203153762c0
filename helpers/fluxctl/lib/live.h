/* SPDX-License-Identifier: MIT */
/* A few lines at a terminal that are drawn again and again in their place. */
/* Context: a program of one thread; its signals are blocked between live_begin() and live_end(). */

/*
 *     if (live_is_possible() && live_begin()) {
 *         live_line(COLOR_BOLD, "%s", text_visible(name));      each cut to the terminal's width
 *         live_draw();
 *         live_poll(fd, POLLIN, timeout_ms);      until then, `fd`, or a signal that live_ended_by() tells
 *         live_end();                             a last frame, which stays
 *     }
 *
 * A frame is one write, so that none is seen half drawn: cursor up, each line with what was behind it
 * erased, and what was below (ECMA-48 CUU, EL, ED). While the terminal takes nothing (Ctrl-S, a slow
 * line) frames are left out; nothing waits for it but the end. A width that shrinks makes a terminal
 * wrap what stands there: live_draw() goes up so many rows.
 *
 * SIGTSTP gives the cursor back and stops; SIGCONT begins a frame of its own, since nobody knows what
 * has been written there meanwhile. In the background nothing is drawn.
 */
#ifndef FLUXCTL_LIB_LIVE_H
#define FLUXCTL_LIB_LIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/output.h"

/* Is stdout a terminal whose cursor can be moved? */
bool live_is_possible(void);

/* False: no descriptor or memory for it. */
bool live_begin(void);

/* Columns and rows that a frame may have. */
size_t live_columns(void);
size_t live_rows(void);

/* One more line of the next frame. Without control characters: text_visible() has been there. */
void live_line(enum color color, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/* How many it has already. */
size_t live_lines(void);

/* Shows the frame, and begins an empty one. False: the terminal is gone. */
bool live_draw(void);

/*
 * Waits so long, for what `fd` (-1: none) has to say, or for what a terminal's user wants: true if
 * there is reason to draw before the time has passed.
 */
bool live_poll(int fd, int timeout_ms);

/* SIGINT or SIGTERM, if one has come, else 0. */
int live_ended_by(void);

/*
 * The last frame, if there are lines for one: waited for, and shown in the background, too. Then the
 * cursor; and the signal that has come, with its own effect: the end.
 */
void live_end(void);

#endif
