/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/hooks_config: entries from text and from JSON, and what is said of bad ones. */
/* Context: a program that prints TAP; single-threaded. */
#include "../../shim/engine/hooks_config.h"
#include "unit.h"

#include <stdarg.h>
#include <stdlib.h>

#include "engine/shim.h"
#include "fluxshim.h"

static int logged;
static char last_line[1024];

__attribute__((format(printf, 2, 3))) static void note_log(enum settings_level level,
                                                           const char *format, ...)
{
    va_list args;

    (void)level;
    va_start(args, format);
    vsnprintf(last_line, sizeof(last_line), format, args);
    va_end(args);
    logged++;
}

static const struct bridge stub = {.log = note_log};
const struct bridge *shim = &stub;

static struct hook_entries entries;

static void from_list(const char *text)
{
    hooks_config_free(&entries);
    logged = 0;
    unit_equal("memory", hooks_config_from_list(text, &entries), 0);
}

static void from_array(const char *text)
{
    cJSON *array = cJSON_Parse(text);

    hooks_config_free(&entries);
    logged = 0;
    unit_true("the test's own JSON", array != NULL);
    unit_equal("memory", hooks_config_from_array(array, "/etc/x", &entries), 0);
    cJSON_Delete(array);
}

static void entry_is(size_t i, const char *object, int priority, const char *error)
{
    unit_true("there is such an entry", i < entries.count);
    if (i < entries.count) {
        const struct hook_entry *entry = &entries.list[i];

        unit_text("object", entry->object, object);
        unit_equal("priority", entry->priority, priority);
        unit_text("error", entry->error ? entry->error : "", error);
    }
}

static void test_list(void)
{
    from_list("");
    unit_equal("nothing", (long long)entries.count, 0);
    from_list("::a:");
    unit_equal("empty ones are none", (long long)entries.count, 1);
    from_list("/a=b.so:file=0:/c=1000000:d=x=7:=5");
    unit_equal("five", (long long)entries.count, 5);
    entry_is(0, "/a=b.so", -1, "");
    entry_is(1, "file", 0, "");
    entry_is(2, "/c", 1000000, "");
    entry_is(3, "d=x", 7, "");
    entry_is(4, "=5", -1, "it names no hook");
    from_list("a=1000001:b=-1:c=99999999999999999999:d=-:e=1-");
    entry_is(0, "a", -1, "its priority is too large, allowed is 0 to 1000000");
    entry_is(1, "b", -1, "its priority is too small, allowed is 0 to 1000000");
    entry_is(2, "c", -1, "its priority is too large, allowed is 0 to 1000000");
    entry_is(3, "d=-", -1, "");
    entry_is(4, "e=1-", -1, "");
}

static void test_most(void)
{
    char text[1024] = "";

    for (int i = 0; i < 300; i++) {
        strcat(text, "a:");
    }
    from_list(text);
    unit_equal("at most 256", (long long)entries.count, HOOKS_CONFIG_MOST);
    unit_text("told", last_line, "FLUX_HOOKS names more than 256 hooks; the rest will not run");
    unit_equal("once", logged, 1);
}

static void test_array(void)
{
    from_array("[]");
    unit_equal("nothing", (long long)entries.count, 0);
    from_array("[\"file\", \"/a.so\", {\"path\": \"b.so\", \"priority\": 0, \"scope\": \"process\","
               " \"timeout\": \"250ms\", \"config\": {\"a\": [1, null]}}, {\"name\": \"exec\"}]");
    unit_equal("four", (long long)entries.count, 4);
    entry_is(0, "file", -1, "");
    entry_is(1, "/a.so", -1, "");
    entry_is(2, "./b.so", 0, "");
    entry_is(3, "exec", -1, "");
    unit_equal("scope", entries.list[2].scope, FLUX_SCOPE_PROCESS);
    unit_equal("no scope", entries.list[3].scope, -1);
    unit_equal("timeout", entries.list[2].timeout, 250000000);
    unit_equal("no timeout", entries.list[3].timeout, -1);
    unit_text("config", entries.list[2].config, "{\"a\":[1,null]}");
    unit_true("no config", entries.list[3].config == NULL);
    from_array("[{\"path\": \"/a\", \"timeout\": 1.5, \"config\": 1, \"config\": 2}]");
    unit_equal("timeout as a number of seconds", entries.list[0].timeout, 1500000000);
    unit_text("the last of two", entries.list[0].config, "2");
}

static void test_faults(void)
{
    from_array("[\"a\", 1, {\"path\": 2, \"priority\": -1}, {\"scope\": \"\", \"name\": \"x\"}]");
    entry_is(0, "a", -1, "");
    entry_is(1, "hooks[2]", -1, "config /etc/x: hooks[2] must be an object, or text");
    entry_is(2, "hooks[3]", -1, "config /etc/x: hooks[3].path must be text");
    entry_is(3, "x", -1, "config /etc/x: hooks[4].scope must be \"family\" or \"process\"");
    unit_equal("told by whoever loads them", logged, 0);
    from_array("[{\"name\": \"x\", \"color\": 1}]");
    entry_is(0, "x", -1, "");
    unit_text("an unknown key", last_line,
              "config /etc/x: hooks[1] can't have a key 'color' (allowed: name, path, priority, "
              "scope, timeout, config)");
    from_array("[{\"path\": \"/a\", \"timeout\": 1e300}, {\"path\": \"/a\", \"timeout\": null}]");
    unit_true("too long", entries.list[0].error != NULL);
    unit_true("null", entries.list[1].error != NULL);
}

int main(void)
{
    test_list();
    test_most();
    test_array();
    test_faults();
    hooks_config_free(&entries);
    return unit_end();
}
