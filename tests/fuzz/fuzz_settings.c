/* SPDX-License-Identifier: MIT */
/* Feeds the parser of settings with whatever libFuzzer makes up: lines of KEY=VALUE. */
/* Context: a program of libFuzzer's, under AddressSanitizer and UndefinedBehaviorSanitizer. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "format/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool is_text(const char *field, size_t size)
{
    return memchr(field, '\0', size) != NULL;
}

/* What holds whatever has been set. */
static void check(const struct settings *settings)
{
    const int64_t most = INT64_C(366) * 24 * 3600 * 1000000000;
    const int64_t durations[] = {settings->drain_timeout, settings->shutdown_timeout,
                                 settings->lame_duck,     settings->idle,
                                 settings->hook_timeout,  settings->checkpoint_interval};

    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        must(durations[i] >= 0 && durations[i] <= most);
    }
    must(settings->log.level <= SETTINGS_LOG_DEBUG && settings->log.target <= SETTINGS_LOG_FILE);
    must((settings->log.target == SETTINGS_LOG_FILE) == (settings->log.path[0] == '/'));
    must(is_text(settings->log.path, sizeof(settings->log.path)));
    must(is_text(settings->checkpoint, sizeof(settings->checkpoint)));
    must(is_text(settings->run_dir, sizeof(settings->run_dir)));
    must(is_text(settings->config, sizeof(settings->config)));
    must(is_text(settings->hooks, sizeof(settings->hooks)));
    must(is_text(settings->state_files, sizeof(settings->state_files)));
}

static bool are_same(const struct settings *a, const struct settings *b)
{
    return a->drain_timeout == b->drain_timeout && a->shutdown_timeout == b->shutdown_timeout &&
           a->lame_duck == b->lame_duck && a->idle == b->idle &&
           a->hook_timeout == b->hook_timeout && a->checkpoint_interval == b->checkpoint_interval &&
           a->signals == b->signals && a->http == b->http && a->on_exit == b->on_exit &&
           a->disable == b->disable && a->log.level == b->log.level &&
           a->log.target == b->log.target && strcmp(a->log.path, b->log.path) == 0 &&
           strcmp(a->checkpoint, b->checkpoint) == 0 && strcmp(a->run_dir, b->run_dir) == 0 &&
           strcmp(a->config, b->config) == 0 && strcmp(a->hooks, b->hooks) == 0 &&
           strcmp(a->state_files, b->state_files) == 0;
}

/* A value that is refused leaves everything as it was. */
static void set(struct settings *settings, const char *key, const char *value, bool from_file)
{
    const struct settings_row *row = NULL;
    struct settings before = *settings;
    int result =
        settings_set(settings, key, value, from_file ? SETTINGS_FILE : SETTINGS_ENVIRONMENT, &row);

    must(result == 0 || result == -ENOENT || result == -EINVAL);
    must(result == -ENOENT || row != NULL);
    if (result != 0) {
        must(are_same(&before, settings));
    }
    check(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text;
    struct settings settings;
    bool from_file = false;

    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    settings_init(&settings);
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char *value = strchr(line, '=');

        if (value) {
            *value++ = '\0';
            set(&settings, line, value, from_file);
        }
        from_file = !from_file;
    }
    for (enum settings_rule rule = settings_check(&settings, SETTINGS_RULE_NONE);
         rule != SETTINGS_RULE_NONE; rule = settings_check(&settings, rule)) {
        must(settings_rule_text(rule) != NULL);
    }
    free(text);
    return 0;
}
