/* SPDX-License-Identifier: MIT */
/* Lines in the shim's log, which puts the hook's name in front. */
/* Context: MT-Safe; doesn't block for long. */

/*
 * flux_log is looked up, so that a hook loads also where there is no shim: then errors and warnings
 * go to stderr, as `file: ...`. Levels are those of flux_log. A line holds 500 bytes; what is longer
 * is cut.
 */
#ifndef FLUXSHIM_HOOKS_LOG_H
#define FLUXSHIM_HOOKS_LOG_H

enum log_levels { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

/* Each hook defines it: "file". */
extern const char hook_name[];

/*
 * Looks flux_log up: in init (config_open does it), since another hook that hangs in dlopen(3) holds
 * the loader's lock for good.
 */
void log_open(void);

void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
