/* SPDX-License-Identifier: MIT */
/* The parser of format/settings.c the other way round. */
/* Context: a program of one thread. */
#include "family/settings_text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

static char text[SETTINGS_LIST_SIZE + 16];

static const char *signals(uint64_t set)
{
    text[0] = '\0';
    for (int signo = 1; signo <= 64; signo++) {
        if (set & (UINT64_C(1) << (signo - 1))) {
            const char *name = sigabbrev_np(signo);
            char number[16];

            (void)snprintf(number, sizeof(number), "%d", signo);
            (void)strlcat(text, text[0] ? "," : "", sizeof(text));
            (void)strlcat(text, name ? name : number, sizeof(text));
        }
    }
    return text;
}

static const char *log_of(const struct settings_log *log)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    static const char *const targets[] = {"stderr", "syslog", ""};

    (void)snprintf(text, sizeof(text), "%s:%s", levels[log->level],
                   log->target == SETTINGS_LOG_FILE ? log->path : targets[log->target]);
    return text;
}

const char *settings_value(const struct settings *settings, enum settings_id id)
{
    const struct settings_row *row = &settings_rows()[id];
    const void *field = (const char *)settings + row->offset;

    switch (row->kind) {
    case SETTINGS_DURATION_OR_OFF:
        if (*(const int64_t *)field == 0) {
            return "off";
        }
        return text_setting_duration(*(const int64_t *)field);
    case SETTINGS_DURATION:
        return text_setting_duration(*(const int64_t *)field);
    case SETTINGS_SWITCH:
        return *(const bool *)field ? "on" : "off";
    case SETTINGS_SIGNALS:
        return signals(*(const uint64_t *)field);
    case SETTINGS_LOG:
        return log_of(field);
    case SETTINGS_PATH:
    case SETTINGS_LIST:
        return field;
    }
    return "";
}

const char *settings_origin_name(enum settings_origin origin)
{
    static const char *const names[] = {"default", "file", "environment"};

    return names[origin];
}
