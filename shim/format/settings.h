/* SPDX-License-Identifier: MIT */
/* The settings: one table of names, defaults and what is allowed, and the parser of their text. */
/* Context: AS-Safe, MT-Safe race:settings, never blocks. */
/*
 * Purpose. SETTINGS_ROWS is the only place that knows a setting. The struct's fields are written
 * out below; parser, defaults, warnings and the table of the README come from the rows.
 *
 * Order of calls. Who reads the environment and the file calls, in any order of origins:
 *
 *     settings_init(&settings);                                       all defaults
 *     settings_set(&settings, "drain_timeout", "10s", SETTINGS_FILE, &row);
 *     settings_set(&settings, "FLUX_IDLE", "1s", SETTINGS_ENVIRONMENT, &row);
 *     for (r = settings_check(&settings, 0); r != 0; r = settings_check(&settings, r))
 *         warn(settings_rule_text(r));
 *
 * A key is FLUX_DRAIN_TIMEOUT or drain_timeout, in exactly that case. A higher origin wins whatever
 * the order; of two equal ones the later. A value is checked even where it does not win.
 *
 * Errors of settings_set: -ENOENT, no such setting (a FLUX_ variable of somebody else, a
 * misspelling); -EINVAL, the value is not allowed: what was set before stays, but *ret_row is set,
 * so that row->name, the value and row->allowed can be told.
 *
 * Units. Durations are nanoseconds, from a whole or decimal number (at most 9 digits behind the
 * point) and ms, s, m or h, without a unit seconds; at most 366 days; parts of a nanosecond are
 * dropped. `off` is 0 where 0 means off (lame duck, interval); a timeout of 0 is written 0, because
 * "off" would read as "wait for ever", and there is no such thing.
 */
#ifndef FLUXSHIM_FORMAT_SETTINGS_H
#define FLUXSHIM_FORMAT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SETTINGS_PATH_SIZE = 1024, SETTINGS_LIST_SIZE = 4096 }; /* the closing NUL included */

enum settings_origin { SETTINGS_DEFAULT, SETTINGS_FILE, SETTINGS_ENVIRONMENT };

enum settings_level {
    SETTINGS_LOG_ERROR,
    SETTINGS_LOG_WARN,
    SETTINGS_LOG_INFO,
    SETTINGS_LOG_DEBUG,
};

enum settings_target { SETTINGS_LOG_STDERR, SETTINGS_LOG_SYSLOG, SETTINGS_LOG_FILE };

enum settings_kind {
    SETTINGS_DURATION,        /* int64_t, nanoseconds */
    SETTINGS_DURATION_OR_OFF, /* the same, 0 is off */
    SETTINGS_SWITCH,          /* bool */
    SETTINGS_SIGNALS,         /* uint64_t, 1 << (signo - 1) */
    SETTINGS_LOG,             /* struct settings_log */
    SETTINGS_PATH,            /* char[SETTINGS_PATH_SIZE], "" is none */
    SETTINGS_LIST,            /* char[SETTINGS_LIST_SIZE], "" is none; not taken apart here */
};

/* X(FIELD, field, kind, default as text, default as shown, description) */
#define SETTINGS_ROWS(X)                                                                           \
    X(DRAIN_TIMEOUT, drain_timeout, SETTINGS_DURATION, "30s", "30s",                               \
      "How long connections in flight may take to finish before they are ended.")                  \
    X(SHUTDOWN_TIMEOUT, shutdown_timeout, SETTINGS_DURATION, "60s", "60s",                         \
      "How long the whole shutdown may take before the process is ended by its signal.")           \
    X(LAME_DUCK, lame_duck, SETTINGS_DURATION_OR_OFF, "0", "0",                                    \
      "How long to go on accepting after the signal, while load balancers learn of it.")           \
    X(IDLE, idle, SETTINGS_DURATION, "500ms", "500ms",                                             \
      "How long a connection must be quiet before it counts as idle.")                             \
    X(HTTP, http, SETTINGS_SWITCH, "on", "on",                                                     \
      "Follow HTTP/1 responses, so that their end is known and not guessed.")                      \
    X(SIGNALS, signals, SETTINGS_SIGNALS, "TERM,INT", "TERM,INT",                                  \
      "The signals that begin a shutdown.")                                                        \
    X(ON_EXIT, on_exit, SETTINGS_SWITCH, "on", "on",                                               \
      "Run hooks and write the checkpoint also when the program ends by itself.")                  \
    X(DISABLE, disable, SETTINGS_SWITCH, "off", "unset",                                           \
      "Do nothing at all, as if the shim were not loaded.")                                        \
    X(CHECKPOINT, checkpoint, SETTINGS_PATH, "", "none",                                           \
      "The JSON file that tells the next start what this one did.")                                \
    X(CHECKPOINT_INTERVAL, checkpoint_interval, SETTINGS_DURATION_OR_OFF, "off", "off",            \
      "How often to write the checkpoint while the program serves.")                               \
    X(HOOKS, hooks, SETTINGS_LIST, "", "none",                                                     \
      "The hooks: `name or path[=priority]:...`, lower priorities first.")                         \
    X(HOOK_TIMEOUT, hook_timeout, SETTINGS_DURATION, "5s", "5s",                                   \
      "How long each call of a hook may take.")                                                    \
    X(STATE_FILES, state_files, SETTINGS_LIST, "", "none",                                         \
      "Files of the server, `path:...`: what changes in them while it is down is told.")           \
    X(LOG, log, SETTINGS_LOG, "warn:stderr", "warn:stderr", "How much to tell, and where.")        \
    X(RUN_DIR, run_dir, SETTINGS_PATH, "", "/run/fluxshim, $XDG_RUNTIME_DIR/fluxshim",             \
      "The folder in which a family of processes can be found by those that belong to it.")        \
    X(CONFIG, config, SETTINGS_PATH, "", "none",                                                   \
      "A JSON file with these settings, in lower case and without FLUX_; the environment wins.")

#define SETTINGS_ID(NAME, field, kind, initial, shown, description) SETTING_##NAME,
enum settings_id { SETTINGS_ROWS(SETTINGS_ID) SETTINGS_COUNT };
#undef SETTINGS_ID

struct settings_log {
    enum settings_level level;
    enum settings_target target;
    char path[SETTINGS_PATH_SIZE]; /* absolute, where the target is a file; else "" */
};

struct settings {
    int64_t drain_timeout;
    int64_t shutdown_timeout;
    int64_t lame_duck;
    int64_t idle;
    int64_t checkpoint_interval; /* 0: off */
    int64_t hook_timeout;
    uint64_t signals;
    bool http;
    bool on_exit;
    bool disable;
    uint8_t origins[SETTINGS_COUNT]; /* by settings_id; settings_origin_of reads it */
    struct settings_log log;
    char checkpoint[SETTINGS_PATH_SIZE];
    char run_dir[SETTINGS_PATH_SIZE];
    char config[SETTINGS_PATH_SIZE];
    char hooks[SETTINGS_LIST_SIZE];
    char state_files[SETTINGS_LIST_SIZE];
};

struct settings_row {
    const char *name;        /* FLUX_DRAIN_TIMEOUT */
    const char *initial;     /* the default, as settings_set takes it */
    const char *shown;       /* the default, as a person reads it */
    const char *allowed;     /* "a duration such as ..." */
    const char *description; /* one sentence */
    enum settings_kind kind;
    size_t offset; /* of the field in struct settings */
};

/* Rules that no value breaks alone. None is an error: each is worth a warning. */
enum settings_rule {
    SETTINGS_RULE_NONE,
    SETTINGS_RULE_DISABLED,
    SETTINGS_RULE_SHUTDOWN_TOO_SHORT,
    SETTINGS_RULE_IDLE_TOO_LONG,
    SETTINGS_RULE_HOOK_TOO_LONG,
    SETTINGS_RULE_WITHOUT_CHECKPOINT,
    SETTINGS_RULE_CONFIG_IN_FILE,
    SETTINGS_RULE_COUNT,
};

void settings_init(struct settings *settings);
int settings_set(struct settings *settings, const char *key, const char *value,
                 enum settings_origin origin, const struct settings_row **ret_row);

/* A duration that stands by itself. 0 or -EINVAL. */
int settings_duration(const char *text, int64_t *ret_nanoseconds);

/* The rows in the order of settings_id, settings_row_count() of them. */
const struct settings_row *settings_rows(void);
size_t settings_row_count(void);
enum settings_origin settings_origin_of(const struct settings *settings, enum settings_id id);

/* The first broken rule behind `after` (begin with SETTINGS_RULE_NONE), NONE where no more is. */
enum settings_rule settings_check(const struct settings *settings, enum settings_rule after);
const char *settings_rule_text(enum settings_rule rule);

#endif
