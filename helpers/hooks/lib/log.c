/* SPDX-License-Identifier: MIT */
/* Hands a line to flux_log, or to stderr where there is none. */
/* Context: MT-Safe; doesn't block for long. */
#include "lib/log.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fluxshim.h"

#define LINE_BYTES 500

static flux_log_function *flux_log_found; /* written in init, before any other thread calls */

void log_open(void)
{
    void *symbol = dlsym(RTLD_DEFAULT, "flux_log");

    memcpy(&flux_log_found, &symbol, sizeof(symbol)); /* dlsym(3): ISO C has no such cast */
}

void log_line(int level, const char *format, ...)
{
    char line[LINE_BYTES + 1];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (flux_log_found) {
        flux_log_found(level, line);
    } else if (level <= LOG_WARN) {
        fprintf(stderr, "%s: %s\n", hook_name, line);
    }
}
