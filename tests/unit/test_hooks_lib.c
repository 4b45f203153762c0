/* SPDX-License-Identifier: MIT */
/* Tests helpers/hooks/lib: durations, numbers, choices, and which phase something is due in. */
/* Context: a program that prints TAP. */
#include "unit.h"

#include <stdint.h>
#include <stdlib.h>

#include "lib/config.h"
#include "lib/phase.h"

const char hook_name[] = "unit";

static char logged[600]; /* the last line */

/* As the shim has it: the library looks it up. */
__attribute__((visibility("default"))) void flux_log(int level, const char *text)
{
    (void)level;
    snprintf(logged, sizeof(logged), "%s", text);
}

/* What config_duration makes of {"key": VALUE}; -1: an error. */
static long long duration_of(const char *value)
{
    struct config config;
    char json[100];
    void *unused;

    snprintf(json, sizeof(json), "{\"key\": %s}", value);

    struct config_place top = config_open(&config, json);
    long long ms = config_duration(&top, "key", 7);

    return config_close(&config, NULL, &unused) ? -1 : ms;
}

static void test_durations(void)
{
    static const struct {
        const char *value;
        long long ms;
    } samples[] = {
        {"\"250ms\"", 250},   {"\"1.5s\"", 1500},
        {"\"2m\"", 120000},   {"\"24h\"", 86400000},
        {"2", 2000},          {"0.25", 250},
        {"\"0.1ms\"", 1},     {"\"25h\"", -1},
        {"86401", -1},        {"0", -1},
        {"-1", -1},           {"\"0s\"", -1},
        {"\"-1s\"", -1},      {"\"1 s\"", -1},
        {"\"5\"", -1},        {"\"ms\"", -1},
        {"\"1e3s\"", -1},     {"\"0x10s\"", -1},
        {"\"1..5s\"", -1},    {"\"\"", -1},
        {"\"infinity\"", -1}, {"\"1s and more\"", -1},
        {"true", -1},         {"[1]", -1},
    };

    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        unit_equal(samples[i].value, duration_of(samples[i].value), samples[i].ms);
    }
}

static long long number_of(const char *value)
{
    struct config config;
    char json[100];
    void *unused;

    snprintf(json, sizeof(json), "{\"key\": %s}", value);

    struct config_place top = config_open(&config, json);
    long long number = config_number(&top, "key", 1, 65535, 7);

    return config_close(&config, NULL, &unused) ? -1 : number;
}

static void test_numbers(void)
{
    unit_equal("the least", number_of("1"), 1);
    unit_equal("the most", number_of("65535"), 65535);
    unit_equal("below", number_of("0"), -1);
    unit_equal("above", number_of("65536"), -1);
    unit_equal("far above", number_of("1e300"), -1);
    unit_equal("far below", number_of("-1e300"), -1);
    unit_equal("a part", number_of("1.5"), -1);
    unit_equal("text", number_of("\"1\""), -1);
}

/* The first fault counts, whatever follows, and nothing is given out after it. */
static void test_first_fault(void)
{
    struct config config;
    void *instance = NULL;
    struct config_place top = config_open(
        &config, "{\"list\": [{\"path\": \"/x\"}, {\"path\": 7}], \"flag\": 1, \"other\": {}}");
    struct config_place item = config_item(&top, "list", 1);

    unit_equal("items", (long long)config_count(&top, "list"), 2);
    unit_true("the fault", !config_path(&item, "path", CONFIG_NEEDED));
    unit_equal("the fallback after it", config_flag(&top, "flag", true), true);
    config_only(&top, "list flag");
    unit_true("nothing is there any more", !config_has(&top, "list"));
    unit_equal("EINVAL", config_close(&config, &config, &instance), 22);
    unit_true("no instance", !instance);
    unit_text("what is told", logged, "config.list[1].path must be text");
}

static void test_known_keys(void)
{
    struct config config;
    void *unused;
    struct config_place top = config_open(&config, "{\"host\": \"x\", \"hos\": \"y\"}");

    config_only(&top, "socket host port");
    config_close(&config, NULL, &unused);
    unit_text("a part of a known key isn't known", logged,
              "config.hos isn't known (there are: socket host port)");
}

static void test_all_is_well(void)
{
    struct config config;
    void *instance = NULL;
    size_t count;
    struct config_place top = config_open(
        &config, "{\"texts\": [\"a\", \"\"], \"lists\": [[\"b\"]], \"pairs\": {\"N\": \"v=w\"}}");
    const char **texts = config_texts(&top, "texts", &count);
    const char **list = config_texts_at(&top, "lists", 0, &count);
    const char **pairs = config_pairs(&top, "pairs", &count);

    unit_equal("it is taken", config_close(&config, &config, &instance), 0);
    unit_true("the instance", instance == &config);
    unit_true("texts", texts && strcmp(texts[0], "a") == 0 && *texts[1] == '\0' && !texts[2]);
    unit_true("a list in a list", list && strcmp(list[0], "b") == 0 && !list[1]);
    unit_true("pairs", pairs && strcmp(pairs[0], "N=v=w") == 0 && !pairs[1]);
}

static void test_phases(void)
{
    for (int when = FLUX_PHASE_RUNNING; when <= FLUX_PHASE_RELEASE; when++) {
        bool due = true;

        for (int phase = FLUX_PHASE_RUNNING; phase <= FLUX_PHASE_RELEASE; phase++) {
            bool running = when == FLUX_PHASE_RUNNING || phase == FLUX_PHASE_RUNNING;

            due &= phase_is_due(when, phase) == (running ? when == phase : phase >= when);
        }
        unit_true(phase_names[when], due);
    }
}

int main(void)
{
    test_durations();
    test_numbers();
    test_first_fault();
    test_known_keys();
    test_all_is_well();
    test_phases();
    return unit_end();
}
