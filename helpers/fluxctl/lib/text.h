/* SPDX-License-Identifier: MIT */
/* Text for people: what is safe to show, and numbers with their units. */
/* Context: a program of one thread. */

/*
 * Each function returns one of a few rotating buffers: good until it has been called TEXT_BUFFERS
 * times more, so several fit into one printf. Longer texts are cut to TEXT_MOST bytes.
 */
#ifndef FLUXCTL_LIB_TEXT_H
#define FLUXCTL_LIB_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { TEXT_BUFFERS = 16, TEXT_MOST = 4096 };

/*
 * What a terminal may be sent: each byte of a control character (C0, DEL, C1), of one that changes
 * the direction or the place of others (Unicode bidi), and of what isn't UTF-8 becomes \xHH, a
 * backslash \\. The rest stays.
 */
const char *text_visible(const char *text);

/* The length of a character at `at` that text_visible() would replace by \xHH, and which one; 0: it wouldn't. */
size_t text_harmful(const char *at, uint32_t *ret_character);

/* UTF-8, with U+FFFD for each byte that isn't: for JSON, whose writer escapes what must be. */
const char *text_valid(const char *text);

/*
 * Columns on a terminal: a character counts 1, and 2 where East Asian Width (UAX #11) is wide. One that
 * takes none counts 1, too: a line may be shorter than it says, and never longer.
 */
size_t text_columns(const char *text);

/* How many bytes of it fit into so many columns. */
size_t text_fit(const char *text, size_t columns);

/* "850 ms", "1.5 s", "3 min 20 s", "5 h 12 min", "4 d 3 h". */
const char *text_duration(int64_t ns);

/* "0.5s", "250ms", "2m": as FLUX_ settings have them. */
const char *text_setting_duration(int64_t ns);

#endif
