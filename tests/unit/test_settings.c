/* SPDX-License-Identifier: MIT */
/* Tests shim/format/settings: each kind good and bad, precedence, bounds, rules. */
/* Context: a program that prints TAP; single-threaded. */
#include "../../shim/format/settings.h"
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#define SECOND     INT64_C(1000000000)
#define BIT(signo) (UINT64_C(1) << ((signo)-1))

static struct settings settings;
static const struct settings_row *row;

static int set(const char *key, const char *value)
{
    return settings_set(&settings, key, value, SETTINGS_ENVIRONMENT, &row);
}

static const char *named(const char *what, const char *value)
{
    static char name[128];
    snprintf(name, sizeof(name), "%s '%.60s'", what, value);
    for (char *c = name; *c != '\0'; c++)
        if (*c < ' ' || *c > '~' || *c == '#')
            *c = '?'; /* each would break a line of TAP */
    return name;
}

static void test_defaults(void)
{
    memset(&settings, 0x5a, sizeof(settings));
    settings_init(&settings);
    unit_equal("drain timeout", settings.drain_timeout, 30 * SECOND);
    unit_equal("shutdown timeout", settings.shutdown_timeout, 60 * SECOND);
    unit_equal("lame duck", settings.lame_duck, 0);
    unit_equal("idle", settings.idle, SECOND / 2);
    unit_equal("checkpoint interval", settings.checkpoint_interval, 0);
    unit_equal("hook timeout", settings.hook_timeout, 5 * SECOND);
    unit_equal("http", settings.http, true);
    unit_equal("on exit", settings.on_exit, true);
    unit_equal("disable", settings.disable, false);
    unit_equal("signals", (long long)settings.signals, (long long)(BIT(SIGTERM) | BIT(SIGINT)));
    unit_equal("log level", settings.log.level, SETTINGS_LOG_WARN);
    unit_equal("log target", settings.log.target, SETTINGS_LOG_STDERR);
    unit_text("log path", settings.log.path, "");
    unit_text("checkpoint", settings.checkpoint, "");
    unit_text("hooks", settings.hooks, "");
    unit_text("state files", settings.state_files, "");
    unit_text("run dir", settings.run_dir, "");
    unit_text("config", settings.config, "");
    unit_equal("origin", settings_origin_of(&settings, SETTING_IDLE), SETTINGS_DEFAULT);
    unit_equal("no rule is broken", settings_check(&settings, SETTINGS_RULE_NONE), 0);
}

/* ---- durations ---- */

static void test_good_durations(void)
{
    static const struct {
        const char *text;
        int64_t nanoseconds;
    } good[] = {
        {"30", 30 * SECOND},
        {"0", 0},
        {"0s", 0},
        {"0.0", 0},
        {"1.5s", 3 * SECOND / 2},
        {"1.5", 3 * SECOND / 2},
        {"250ms", SECOND / 4},
        {"250MS", SECOND / 4},
        {"2m", 120 * SECOND},
        {"1h", 3600 * SECOND},
        {"0.5h", 1800 * SECOND},
        {"0.000000001", 1},
        {"0.000000001h", 3600},
        {"1.999999999s", 2 * SECOND - 1},
        {"0.000000001ms", 0},
        {"0007s", 7 * SECOND},
        {"8784h", 31622400 * SECOND},
        {"31622400", 31622400 * SECOND},
        {"31622400000ms", 31622400 * SECOND},
        {"31622399.999999999", 31622400 * SECOND - 1},
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        settings.drain_timeout = -1;
        (void)set("FLUX_DRAIN_TIMEOUT", good[i].text);
        unit_equal(named("duration", good[i].text), settings.drain_timeout, good[i].nanoseconds);
    }
    settings.lame_duck = -1;
    unit_equal("off where 0 is off", set("FLUX_LAME_DUCK", "Off"), 0);
    unit_equal("and it is 0", settings.lame_duck, 0);
}

static void test_bad_durations(void)
{
    static const char *const bad[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1 s",
        "s",
        "ms",
        ".5",
        "5.",
        "5.s",
        "1.2.3",
        "1,5",
        "1d",
        "1sm",
        "0x10",
        "1e3",
        "off",
        "none",
        "1.0000000001",
        "8784.000000001h",
        "8785h",
        "31622401",
        "31622400.000000001",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999999999999999",
        "18446744073709551617ms",
        "1\n",
        "\xd9\xa1",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        settings.drain_timeout = 42;
        row = NULL;
        bool refused = set("FLUX_DRAIN_TIMEOUT", bad[i]) == -EINVAL;
        bool told = row == &settings_rows()[SETTING_DRAIN_TIMEOUT];
        unit_true(named("no duration:", bad[i]), refused && told && settings.drain_timeout == 42);
    }
}

/* ---- switches, signals ---- */

static void test_switches(void)
{
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes",
                                        "0",   "1",  "OFF",   "On",   "nO", "YES"};
    static const char *const bad[] = {"",  "2",   "o",  "onn", "of",    "y",
                                      "n", " on", "01", "-1",  "enable"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        settings.http = i % 2 == 0;
        bool good = set("FLUX_HTTP", words[i]) == 0;
        unit_true(named("switch", words[i]), good && settings.http == (i % 2 == 1));
    }
    settings.http = true;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        unit_equal(named("no switch:", bad[i]), set("FLUX_HTTP", bad[i]), -EINVAL);
    unit_equal("a bad switch leaves the value", settings.http, true);
}

static void test_signals(void)
{
    static const struct {
        const char *text;
        uint64_t bits;
    } good[] = {
        {"TERM", BIT(SIGTERM)},
        {"SIGTERM", BIT(SIGTERM)},
        {"sigTerm", BIT(SIGTERM)},
        {"15", BIT(SIGTERM)},
        {"TERM,INT", BIT(SIGTERM) | BIT(SIGINT)},
        {"int, 15 ,hup", BIT(SIGTERM) | BIT(SIGINT) | BIT(SIGHUP)},
        {"QUIT,USR1,USR2", BIT(SIGQUIT) | BIT(SIGUSR1) | BIT(SIGUSR2)},
        {"TERM,TERM", BIT(SIGTERM)},
        {"02", BIT(SIGINT)},
    };
    static const char *const bad[] = {
        "",     ",",  "TERM,", ",TERM",      "TERM,,INT", "TERM INT", "KILL",      "SIGKILL", "9",
        "STOP", "19", "SEGV",  "11",         "CHLD",      "PIPE",     "ALRM",      "0",       "-15",
        "015",  "64", "65",    "4294967311", "TERMS",     "SIG",      "TERM,KILL", "none",    "off",
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        settings.signals = 0;
        (void)set("FLUX_SIGNALS", good[i].text);
        unit_equal(named("signals", good[i].text), (long long)settings.signals,
                   (long long)good[i].bits);
    }
    settings.signals = 42;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        unit_equal(named("no signals:", bad[i]), set("FLUX_SIGNALS", bad[i]), -EINVAL);
    unit_equal("bad signals leave the value", (long long)settings.signals, 42);
}

/* ---- the log, texts ---- */

static void test_log(void)
{
    static const struct {
        const char *text;
        int level;
        int target;
        const char *path;
    } good[] = {
        {"warn", SETTINGS_LOG_WARN, SETTINGS_LOG_STDERR, ""},
        {"error", SETTINGS_LOG_ERROR, SETTINGS_LOG_STDERR, ""},
        {"stderr", SETTINGS_LOG_WARN, SETTINGS_LOG_STDERR, ""},
        {"info:stderr", SETTINGS_LOG_INFO, SETTINGS_LOG_STDERR, ""},
        {"Info:StdErr", SETTINGS_LOG_INFO, SETTINGS_LOG_STDERR, ""},
        {"info:/path", SETTINGS_LOG_INFO, SETTINGS_LOG_FILE, "/path"},
        {"/path", SETTINGS_LOG_WARN, SETTINGS_LOG_FILE, "/path"},
        {"/a:b", SETTINGS_LOG_WARN, SETTINGS_LOG_FILE, "/a:b"},
        {"debug:/a:b", SETTINGS_LOG_DEBUG, SETTINGS_LOG_FILE, "/a:b"},
        {"syslog", SETTINGS_LOG_WARN, SETTINGS_LOG_SYSLOG, ""},
        {"debug:syslog", SETTINGS_LOG_DEBUG, SETTINGS_LOG_SYSLOG, ""},
    };
    static const char *const bad[] = {
        "",     ":",         "info:",  ":stderr",   "stderr:info",   "loud",
        "path", "info:path", "./path", "info:info", "info:stderr:x", "warning"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        bool done = set("FLUX_LOG", good[i].text) == 0;
        unit_true(named("log", good[i].text), done && (int)settings.log.level == good[i].level &&
                                                  (int)settings.log.target == good[i].target &&
                                                  strcmp(settings.log.path, good[i].path) == 0);
    }
    (void)set("FLUX_LOG", "debug:/kept");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        unit_equal(named("no log:", bad[i]), set("FLUX_LOG", bad[i]), -EINVAL);
    unit_text("a bad log leaves the path", settings.log.path, "/kept");
    unit_equal("and the level", settings.log.level, SETTINGS_LOG_DEBUG);
    unit_equal("and the target", settings.log.target, SETTINGS_LOG_FILE);
}

/* A value in a block of its own, so that a sanitizer sees a byte too many. */
static int set_long(const char *key, const char *begin, size_t n)
{
    char *value = malloc(n + 1);
    memset(value, 'x', n);
    memcpy(value, begin, strlen(begin));
    value[n] = '\0';
    int result = set(key, value);
    free(value);
    return result;
}

static void test_texts(void)
{
    unit_equal("the longest path", set_long("FLUX_CHECKPOINT", "/", 1023), 0);
    unit_equal("all of it", (long long)strlen(settings.checkpoint), 1023);
    unit_equal("a longer one", set_long("FLUX_CHECKPOINT", "/", 1024), -EINVAL);
    unit_equal("leaves the value", (long long)strlen(settings.checkpoint), 1023);
    unit_equal("the longest list", set_long("FLUX_HOOKS", "/", 4095), 0);
    unit_equal("a longer one", set_long("FLUX_HOOKS", "/", 4096), -EINVAL);
    unit_equal("leaves the value", (long long)strlen(settings.hooks), 4095);
    unit_equal("the longest log path", set_long("FLUX_LOG", "info:/", 1023 + 5), 0);
    (void)set("FLUX_LOG", "info:syslog");
    unit_equal("a longer one", set_long("FLUX_LOG", "error:/", 1024 + 6), -EINVAL);
    unit_equal("leaves the level", settings.log.level, SETTINGS_LOG_INFO);
    unit_equal("and the target", settings.log.target, SETTINGS_LOG_SYSLOG);
    unit_equal("a text may be empty", set("FLUX_CHECKPOINT", ""), 0);
    unit_text("and is none", settings.checkpoint, "");
    unit_equal("a list is kept as it is", set("FLUX_STATE_FILES", "/a=1:/b:/c"), 0);
    unit_text("each byte of it", settings.state_files, "/a=1:/b:/c");
}

/* ---- keys, precedence ---- */

static void test_keys(void)
{
    static const char *const unknown[] = {
        "",         "FLUX_", "FLUX_DRAIN", "DRAIN_TIMEOUT",  "flux_idle",  "FLUX_idle",
        "IDLE",     "Idle",  "idl",        "idlee",          "FLUX_IDLEE", "_idle",
        "FLUXIDLE", "PATH",  "FLUX__IDLE", "flux_FLUX_IDLE",
    };
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        row = NULL;
        int result = set(unknown[i], "1");
        unit_true(named("no such key:", unknown[i]), result == -ENOENT && row == NULL);
    }
    char key[64];
    int failed = 0;
    for (size_t i = 0; i < settings_row_count(); i++) {
        const char *name = settings_rows()[i].name;
        size_t n = strlen(name + 5);
        for (size_t k = 0; k <= n; k++)
            key[k] =
                (char)(name[5 + k] >= 'A' && name[5 + k] <= 'Z' ? name[5 + k] + 32 : name[5 + k]);
        failed += set(name, settings_rows()[i].initial) != 0 || row != &settings_rows()[i];
        failed += set(key, settings_rows()[i].initial) != 0 || row != &settings_rows()[i];
    }
    unit_equal("each row by both keys, with its default: failures", failed, 0);
}

static int64_t idle_after(enum settings_origin first, const char *one, enum settings_origin second,
                          const char *two)
{
    settings_init(&settings);
    (void)settings_set(&settings, "idle", one, first, &row);
    (void)settings_set(&settings, "FLUX_IDLE", two, second, &row);
    return settings.idle / SECOND;
}

static void test_precedence(void)
{
    unit_equal("environment over file", idle_after(SETTINGS_FILE, "1", SETTINGS_ENVIRONMENT, "2"),
               2);
    unit_equal("also when it came first", idle_after(SETTINGS_ENVIRONMENT, "2", SETTINGS_FILE, "1"),
               2);
    unit_equal("and is where it is from", settings_origin_of(&settings, SETTING_IDLE),
               SETTINGS_ENVIRONMENT);
    unit_equal("the later of two equals", idle_after(SETTINGS_FILE, "1", SETTINGS_FILE, "2"), 2);
    unit_equal("a default over nothing", idle_after(SETTINGS_FILE, "1", SETTINGS_DEFAULT, "2"), 1);
    unit_equal("a bad one does not win", idle_after(SETTINGS_FILE, "1", SETTINGS_ENVIRONMENT, "x"),
               1);
    unit_equal("nor leave its origin", settings_origin_of(&settings, SETTING_IDLE), SETTINGS_FILE);
    unit_equal("other rows have their own", settings_origin_of(&settings, SETTING_HTTP),
               SETTINGS_DEFAULT);
    (void)set("FLUX_IDLE", "3");
    unit_equal("a bad one that would lose is told",
               settings_set(&settings, "idle", "x", SETTINGS_FILE, &row), -EINVAL);
    unit_equal("a good one that loses is no error",
               settings_set(&settings, "idle", "1", SETTINGS_FILE, &row), 0);
    (void)set("FLUX_HOOKS", "/mine");
    unit_equal("nor a text", settings_set(&settings, "hooks", "/yours", SETTINGS_FILE, &row), 0);
    unit_text("which loses too", settings.hooks, "/mine");
}

/* ---- rules, rows ---- */

static enum settings_rule first_broken(const char *key, const char *value,
                                       enum settings_origin origin)
{
    settings_init(&settings);
    (void)settings_set(&settings, key, value, origin, &row);
    return settings_check(&settings, SETTINGS_RULE_NONE);
}

static void test_rules(void)
{
    const enum settings_origin env = SETTINGS_ENVIRONMENT;
    unit_equal("disabled", first_broken("FLUX_DISABLE", "1", env), SETTINGS_RULE_DISABLED);
    unit_equal("shutdown before drain", first_broken("FLUX_SHUTDOWN_TIMEOUT", "29", env),
               SETTINGS_RULE_SHUTDOWN_TOO_SHORT);
    unit_equal("shutdown with drain", first_broken("FLUX_SHUTDOWN_TIMEOUT", "30", env), 0);
    unit_equal("shutdown before lame duck and drain", first_broken("FLUX_LAME_DUCK", "31", env),
               SETTINGS_RULE_SHUTDOWN_TOO_SHORT);
    unit_equal("idle behind drain", first_broken("FLUX_IDLE", "31", env),
               SETTINGS_RULE_IDLE_TOO_LONG);
    unit_equal("hook behind shutdown", first_broken("FLUX_HOOK_TIMEOUT", "61", env),
               SETTINGS_RULE_HOOK_TOO_LONG);
    unit_equal("interval", first_broken("FLUX_CHECKPOINT_INTERVAL", "1", env),
               SETTINGS_RULE_WITHOUT_CHECKPOINT);
    unit_equal("state files", first_broken("FLUX_STATE_FILES", "/x", env),
               SETTINGS_RULE_WITHOUT_CHECKPOINT);
    unit_equal("run dir", first_broken("FLUX_RUN_DIR", "/x", env), 0);
    unit_equal("checkpoint", first_broken("FLUX_CHECKPOINT", "/x", env), 0);
    unit_equal("config in the environment", first_broken("FLUX_CONFIG", "/x", env), 0);
    unit_equal("config in the file", first_broken("config", "/x", SETTINGS_FILE),
               SETTINGS_RULE_CONFIG_IN_FILE);
    (void)set("FLUX_DISABLE", "1");
    unit_equal("two rules: the first", settings_check(&settings, SETTINGS_RULE_NONE),
               SETTINGS_RULE_DISABLED);
    unit_equal("the second", settings_check(&settings, SETTINGS_RULE_DISABLED),
               SETTINGS_RULE_CONFIG_IN_FILE);
    unit_equal("and no more", settings_check(&settings, SETTINGS_RULE_CONFIG_IN_FILE), 0);
    int silent = 0;
    for (unsigned rule = 1; rule < SETTINGS_RULE_COUNT; rule++)
        silent += settings_rule_text((enum settings_rule)rule)[0] == '\0';
    unit_equal("rules without a text", silent, 0);
    unit_text("no rule, no text", settings_rule_text(SETTINGS_RULE_NONE), "");
}

static void test_rows(void)
{
    int failed = 0;
    for (size_t i = 0; i < settings_row_count(); i++) {
        const struct settings_row *it = &settings_rows()[i];
        failed += strncmp(it->name, "FLUX_", 5) != 0 || it->shown[0] == '\0';
        failed += it->allowed[0] == '\0' || it->description[strlen(it->description) - 1] != '.';
        failed += strchr(it->description, '|') != NULL || strchr(it->allowed, '|') != NULL;
    }
    unit_equal("rows that are not whole", failed, 0);
    unit_equal("rows", (long long)settings_row_count(), 16);
    unit_true("the struct is small", sizeof(struct settings) <= 16384);
}

int main(void)
{
    test_defaults();
    test_good_durations();
    test_bad_durations();
    test_switches();
    test_signals();
    test_log();
    test_texts();
    test_keys();
    test_precedence();
    test_rules();
    test_rows();
    return unit_end();
}
