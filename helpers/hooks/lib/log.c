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

static flux_log_function *find_flux_log(void)
{
    void *symbol = dlsym(RTLD_DEFAULT, "flux_log");
    flux_log_function *function = NULL;

    memcpy(&function, &symbol, sizeof(symbol)); /* dlsym(3): ISO C has no such cast */
    return function;
}

void log_line(int level, const char *format, ...)
{
    char line[LINE_BYTES + 1];
    flux_log_function *log = find_flux_log();
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (log) {
        log(level, line);
    } else if (level <= LOG_WARN) {
        fprintf(stderr, "%s: %s\n", hook_name, line);
    }
}
