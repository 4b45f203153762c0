/* SPDX-License-Identifier: MIT */
/* One line of text to stderr, a file or syslog, from any thread, handler or phase. */
/* Context: AS-Safe, MT-Safe; a write may block as the target does. Keeps errno. */

/*
 * Before log_open() errors and warnings go to stderr. No descriptor is held:
 * stderr is written to only as long as descriptor 2 is the file that it was when log_open() ran
 * (a daemon closes it and its number can become a client's connection); a log file is opened for
 * each line with O_NOFOLLOW; syslog is one datagram to /dev/log.
 *
 * The formats are %s %d %u %lld %llu %x %c %%, with no flags or widths; control characters that
 * come in through %s are written as '?', so that no path or peer name can drive a terminal.
 */
#ifndef FLUXSHIM_SIGSAFE_LOG_H
#define FLUXSHIM_SIGSAFE_LOG_H

#include <stdarg.h>
#include <stddef.h>

#include "format/settings.h"

void log_open(const struct settings_log *target);

/* "fluxshim[pid]: level: text\n", cut at 1 KiB. */
void log_line(enum settings_level level, const char *format, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/* Format into a buffer, always terminated; returns the length written. */
size_t log_format(char *buffer, size_t size, const char *format, va_list args);

/* True while descriptor 2 is still the stderr of log_open(). */
int log_stderr_is_ours(void);

#define log_error(...) log_line(SETTINGS_LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(SETTINGS_LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(SETTINGS_LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(SETTINGS_LOG_DEBUG, __VA_ARGS__)

#endif
