/* SPDX-License-Identifier: MIT */
/* What fluxctl prints: colours, messages, JSON, and how wide the terminal is. */
/* Context: a program of one thread. */
#ifndef FLUXCTL_LIB_OUTPUT_H
#define FLUXCTL_LIB_OUTPUT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum color { COLOR_PLAIN, COLOR_BOLD, COLOR_DIM, COLOR_GREEN, COLOR_YELLOW, COLOR_RED };

/* "auto", "always" or "never"; false, and it is said, for anything else. */
bool output_color(const char *when);

/* The sequence (ECMA-48 SGR) that begins a colour on stdout, or "" where there is none. */
const char *color(enum color color);

/* "fluxctl: ...\n" to stderr. */
void say(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* Is stdout a terminal? Its columns; `otherwise` if it is none, or says 0. */
bool output_is_terminal(void);
size_t output_columns(size_t otherwise);

/* To stdout with a newline, and freed. False without memory, or if it can't be written. */
bool output_json(cJSON *root);

/* The same in one line: for streams of events. */
bool output_json_line(cJSON *root);

/* Exact above 2^53, where cJSON has a double. */
void json_add_integer(cJSON *object, const char *name, int64_t value);
void json_add_count(cJSON *object, const char *name, uint64_t value);

/* Milliseconds with three digits behind the point. */
void json_add_ms(cJSON *object, const char *name, int64_t ns);

/* Text that may be anything: U+FFFD for each byte that isn't UTF-8. NULL becomes null. */
void json_add_text(cJSON *object, const char *name, const char *text);

#endif
