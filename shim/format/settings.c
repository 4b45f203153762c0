/* SPDX-License-Identifier: MIT */
/* The table of the settings and the parser of their text: settings.h tells how. */
/* Context: AS-Safe, MT-Safe race:settings, never blocks. */
/*
 * Letters are compared and made lower here, not by <strings.h> and <ctype.h>: those ask the locale.
 */
#include "settings.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#define NANOSECONDS_PER_MS INT64_C(1000000)
#define NANOSECONDS_PER_S  (1000 * NANOSECONDS_PER_MS)
#define DURATION_MAX       (INT64_C(366) * 24 * 3600 * NANOSECONDS_PER_S)

#define DURATION_ALLOWED                 "a duration such as 30, 1.5s, 250ms, 2m or 1h, at most 8784h (366 days)"
#define ALLOWED_SETTINGS_DURATION        DURATION_ALLOWED
#define ALLOWED_SETTINGS_DURATION_OR_OFF "off, or " DURATION_ALLOWED
#define ALLOWED_SETTINGS_SWITCH          "on, off, true, false, yes, no, 1 or 0"
#define ALLOWED_SETTINGS_SIGNALS                                                                   \
    "a comma list of TERM, INT, HUP, QUIT, USR1 and USR2, also as SIGTERM or by number"
#define ALLOWED_SETTINGS_LOG                                                                       \
    "error, warn, info or debug, and stderr, syslog or an absolute path of at most 1023 bytes, "   \
    "joined by ':', or one of the two"
#define ALLOWED_SETTINGS_PATH "a path of at most 1023 bytes"
#define ALLOWED_SETTINGS_LIST "a list separated by ':' of at most 4095 bytes"

#define ROW(NAME, field, kind, initial, shown, description)                                        \
    [SETTING_##NAME] = {"FLUX_" #NAME,                                                             \
                        initial,                                                                   \
                        shown,                                                                     \
                        ALLOWED_##kind,                                                            \
                        description,                                                               \
                        kind,                                                                      \
                        offsetof(struct settings, field)},
static const struct settings_row rows[SETTINGS_COUNT] = {SETTINGS_ROWS(ROW)};
#undef ROW

#define PREFIX "FLUX_"
enum { PREFIX_SIZE = sizeof(PREFIX) - 1 };

struct text {
    const char *at;
    size_t n;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* word is in lower case. */
static bool is_word(struct text text, const char *word)
{
    size_t n = 0;
    while (n < text.n && word[n] != '\0' && lower(text.at[n]) == word[n])
        n++;
    return n == text.n && word[n] == '\0';
}

/* The index of text among words, or -ENOENT. */
static int word_index(struct text text, const char *const *words, int count)
{
    for (int i = 0; i < count; i++)
        if (is_word(text, words[i]))
            return i;
    return -ENOENT;
}

static struct text strip(struct text text)
{
    while (text.n > 0 && text.at[0] == ' ')
        text = (struct text){text.at + 1, text.n - 1};
    while (text.n > 0 && text.at[text.n - 1] == ' ')
        text.n--;
    return text;
}

/* ---- durations ---- */

/* Nanoseconds in the unit, or 0 if it is none. */
static int64_t unit_size(struct text unit)
{
    if (unit.n == 0 || is_word(unit, "s"))
        return NANOSECONDS_PER_S;
    if (is_word(unit, "ms"))
        return NANOSECONDS_PER_MS;
    if (is_word(unit, "m"))
        return 60 * NANOSECONDS_PER_S;
    return is_word(unit, "h") ? 3600 * NANOSECONDS_PER_S : 0;
}

static size_t digits_at(struct text text)
{
    size_t n = 0;
    while (n < text.n && is_digit(text.at[n]))
        n++;
    return n;
}

static int whole_part(struct text digits, int64_t unit, int64_t *ret_nanoseconds)
{
    int64_t whole = 0;
    for (size_t i = 0; i < digits.n; i++) {
        whole = whole * 10 + (digits.at[i] - '0');
        if (whole > DURATION_MAX / unit)
            return -EINVAL;
    }
    *ret_nanoseconds = whole * unit;
    return 0;
}

/* At most nine digits: each unit from s up is a multiple of 10^9 ns, so none of them is lost. */
static int64_t decimal_part(struct text digits, int64_t unit)
{
    int64_t nanoseconds = 0;
    for (size_t i = 0; i < digits.n; i++) {
        unit /= 10;
        nanoseconds += (digits.at[i] - '0') * unit;
    }
    return nanoseconds;
}

static int parse_duration(struct text text, int64_t *ret_nanoseconds)
{
    struct text whole = {text.at, digits_at(text)};
    struct text rest = {text.at + whole.n, text.n - whole.n};
    struct text decimals = {rest.at, 0};
    int64_t nanoseconds;
    if (rest.n > 0 && rest.at[0] == '.') {
        rest = (struct text){rest.at + 1, rest.n - 1};
        decimals = (struct text){rest.at, digits_at(rest)};
        rest = (struct text){rest.at + decimals.n, rest.n - decimals.n};
        if (decimals.n == 0 || decimals.n > 9)
            return -EINVAL;
    }
    int64_t unit = unit_size(rest);
    if (whole.n == 0 || unit == 0 || whole_part(whole, unit, &nanoseconds) < 0)
        return -EINVAL;
    nanoseconds += decimal_part(decimals, unit);
    if (nanoseconds > DURATION_MAX)
        return -EINVAL;
    *ret_nanoseconds = nanoseconds;
    return 0;
}

int settings_duration(const char *text, int64_t *ret_nanoseconds)
{
    return parse_duration((struct text){text, strlen(text)}, ret_nanoseconds);
}

static int parse_duration_or_off(struct text text, int64_t *ret_nanoseconds)
{
    if (!is_word(text, "off"))
        return parse_duration(text, ret_nanoseconds);
    *ret_nanoseconds = 0;
    return 0;
}

/* ---- switches ---- */

static int parse_switch(struct text text, bool *ret_on)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes", "0", "1"};
    int index = word_index(text, words, (int)(sizeof(words) / sizeof(words[0])));
    if (index < 0)
        return -EINVAL;
    *ret_on = index % 2 == 1;
    return 0;
}

/* ---- signals ---- */

/* Signals that can be caught and that people send to make a server stop. */
static const struct {
    const char *name;
    int number;
} stop_signals[] = {
    {"sigterm", SIGTERM}, {"sigint", SIGINT},   {"sighup", SIGHUP},
    {"sigquit", SIGQUIT}, {"sigusr1", SIGUSR1}, {"sigusr2", SIGUSR2},
};

static bool is_number(struct text text, int number)
{
    int value = 0;
    if (text.n == 0 || text.n > 2 || digits_at(text) != text.n)
        return false;
    for (size_t i = 0; i < text.n; i++)
        value = value * 10 + (text.at[i] - '0');
    return value == number;
}

static int parse_signal(struct text text, uint64_t *ret_bit)
{
    for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++) {
        const char *name = stop_signals[i].name;
        int number = stop_signals[i].number;
        if (is_word(text, name) || is_word(text, name + 3) || is_number(text, number)) {
            *ret_bit = UINT64_C(1) << (number - 1);
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_signals(struct text text, uint64_t *ret_signals)
{
    uint64_t signals = 0, bit;
    for (;;) {
        const char *comma = memchr(text.at, ',', text.n);
        size_t n = comma == NULL ? text.n : (size_t)(comma - text.at);
        if (parse_signal(strip((struct text){text.at, n}), &bit) < 0)
            return -EINVAL;
        signals |= bit;
        if (comma == NULL)
            break;
        text = (struct text){comma + 1, text.n - n - 1};
    }
    *ret_signals = signals;
    return 0;
}

/* ---- texts ---- */

static int parse_text(struct text text, char *ret_copy, size_t size)
{
    if (text.n >= size)
        return -EINVAL;
    memcpy(ret_copy, text.at, text.n);
    ret_copy[text.n] = '\0';
    return 0;
}

/* ---- the log ---- */

static int parse_level(struct text text, enum settings_level *ret_level)
{
    static const char *const words[] = {"error", "warn", "info", "debug"};
    int index = word_index(text, words, 4);
    if (index < 0)
        return -EINVAL;
    *ret_level = (enum settings_level)index;
    return 0;
}

static int parse_target(struct text text, struct settings_log *log)
{
    static const char *const words[] = {"stderr", "syslog"};
    bool is_file = text.n > 0 && text.at[0] == '/';
    int index = is_file ? SETTINGS_LOG_FILE : word_index(text, words, 2);
    if (index < 0 || (is_file && text.n >= sizeof(log->path)))
        return -EINVAL;
    log->target = (enum settings_target)index;
    return parse_text((struct text){text.at, is_file ? text.n : 0}, log->path, sizeof(log->path));
}

/* A part that is not there has its default: the value replaces the whole of the one before. */
static int parse_log(struct text text, struct settings_log *log)
{
    struct text target = {"stderr", 6};
    enum settings_level level = SETTINGS_LOG_WARN;
    const char *colon = memchr(text.at, ':', text.n);
    size_t first = colon == NULL ? text.n : (size_t)(colon - text.at);
    bool has_level = parse_level((struct text){text.at, first}, &level) == 0;
    if (!has_level)
        target = text;
    else if (colon != NULL)
        target = (struct text){colon + 1, text.n - first - 1};
    int result = parse_target(target, log);
    if (result == 0)
        log->level = level;
    return result;
}

/* ---- the table ---- */

/* Writes the field only where the value is good. */
static int parse(const struct settings_row *row, struct text text, void *field)
{
    switch (row->kind) {
    case SETTINGS_DURATION:
        return parse_duration(text, field);
    case SETTINGS_DURATION_OR_OFF:
        return parse_duration_or_off(text, field);
    case SETTINGS_SWITCH:
        return parse_switch(text, field);
    case SETTINGS_SIGNALS:
        return parse_signals(text, field);
    case SETTINGS_LOG:
        return parse_log(text, field);
    case SETTINGS_PATH:
        return parse_text(text, field, SETTINGS_PATH_SIZE);
    case SETTINGS_LIST:
        return parse_text(text, field, SETTINGS_LIST_SIZE);
    }
    return -EINVAL;
}

static bool has_key(const struct settings_row *row, const char *key)
{
    const char *name = row->name + PREFIX_SIZE;
    if (strncmp(key, PREFIX, PREFIX_SIZE) == 0)
        return strcmp(key + PREFIX_SIZE, name) == 0;
    while (*key != '\0' && *key == lower(*name)) {
        key++;
        name++;
    }
    return *key == '\0' && *name == '\0';
}

static const struct settings_row *find_row(const char *key)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (has_key(&rows[i], key))
            return &rows[i];
    return NULL;
}

void settings_init(struct settings *settings)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        struct text initial = {rows[i].initial, strlen(rows[i].initial)};
        (void)parse(&rows[i], initial, (char *)settings + rows[i].offset);
        settings->origins[i] = SETTINGS_DEFAULT;
    }
}

/* A value that does not win is checked where it can do no harm: its text is only looked at. */
static int check_value(const struct settings_row *row, struct text text)
{
    union {
        int64_t duration;
        uint64_t signals;
        bool on;
        struct settings_log log;
        char list[SETTINGS_LIST_SIZE];
    } unused;
    return parse(row, text, &unused);
}

int settings_set(struct settings *settings, const char *key, const char *value,
                 enum settings_origin origin, const struct settings_row **ret_row)
{
    const struct settings_row *row = find_row(key);
    if (row == NULL)
        return -ENOENT;
    *ret_row = row;
    struct text text = {value, strlen(value)};
    size_t id = (size_t)(row - rows);
    if (origin < (enum settings_origin)settings->origins[id])
        return check_value(row, text);
    int result = parse(row, text, (char *)settings + row->offset);
    if (result == 0)
        settings->origins[id] = (uint8_t)origin;
    return result;
}

const struct settings_row *settings_rows(void)
{
    return rows;
}

size_t settings_row_count(void)
{
    return SETTINGS_COUNT;
}

enum settings_origin settings_origin_of(const struct settings *settings, enum settings_id id)
{
    return (enum settings_origin)settings->origins[id];
}

/* ---- rules ---- */

static bool is_broken(const struct settings *settings, enum settings_rule rule)
{
    switch (rule) {
    case SETTINGS_RULE_DISABLED:
        return settings->disable;
    case SETTINGS_RULE_SHUTDOWN_TOO_SHORT:
        return settings->shutdown_timeout < settings->lame_duck + settings->drain_timeout;
    case SETTINGS_RULE_IDLE_TOO_LONG:
        return settings->idle > settings->drain_timeout;
    case SETTINGS_RULE_HOOK_TOO_LONG:
        return settings->hook_timeout > settings->shutdown_timeout;
    case SETTINGS_RULE_WITHOUT_CHECKPOINT:
        return settings->checkpoint[0] == '\0' &&
               (settings->checkpoint_interval > 0 || settings->state_files[0] != '\0');
    case SETTINGS_RULE_CONFIG_IN_FILE:
        return settings->origins[SETTING_CONFIG] == SETTINGS_FILE;
    case SETTINGS_RULE_NONE:
    case SETTINGS_RULE_COUNT:
        break;
    }
    return false;
}

enum settings_rule settings_check(const struct settings *settings, enum settings_rule after)
{
    for (unsigned rule = (unsigned)after + 1; rule < SETTINGS_RULE_COUNT; rule++)
        if (is_broken(settings, (enum settings_rule)rule))
            return (enum settings_rule)rule;
    return SETTINGS_RULE_NONE;
}

const char *settings_rule_text(enum settings_rule rule)
{
    switch (rule) {
    case SETTINGS_RULE_DISABLED:
        return "FLUX_DISABLE is on: every other setting is without effect";
    case SETTINGS_RULE_SHUTDOWN_TOO_SHORT:
        return "FLUX_SHUTDOWN_TIMEOUT is shorter than FLUX_LAME_DUCK and FLUX_DRAIN_TIMEOUT "
               "together: the process may be ended while it drains";
    case SETTINGS_RULE_IDLE_TOO_LONG:
        return "FLUX_IDLE is longer than FLUX_DRAIN_TIMEOUT: most idle connections will be ended "
               "by force";
    case SETTINGS_RULE_HOOK_TOO_LONG:
        return "FLUX_HOOK_TIMEOUT is longer than FLUX_SHUTDOWN_TIMEOUT: a slow hook may be cut "
               "short";
    case SETTINGS_RULE_WITHOUT_CHECKPOINT:
        return "FLUX_CHECKPOINT_INTERVAL and FLUX_STATE_FILES are without effect: FLUX_CHECKPOINT "
               "names no file";
    case SETTINGS_RULE_CONFIG_IN_FILE:
        return "config in the settings file is without effect: only FLUX_CONFIG names that file";
    case SETTINGS_RULE_NONE:
    case SETTINGS_RULE_COUNT:
        break;
    }
    return "";
}
