/* SPDX-License-Identifier: MIT */
/* Tests shim/engine/past: what is a checkpoint, and what of it is believed. */
/* Context: a program that prints TAP. */
#include "../../shim/engine/past.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#define HEAD "{\"schema\":\"fluxshim/1\",\"generation\":7"

static int parse(const char *text, struct past *ret_past)
{
    *ret_past = (struct past){0};
    return past_parse(text, strlen(text), ret_past);
}

static void is_none(const char *text)
{
    struct past past;

    unit_equal(text, parse(text, &past), -EBADMSG);
    unit_true("  nothing is given", past.root == NULL);
}

static void test_types(void)
{
    is_none("");
    is_none("null");
    is_none("[]");
    is_none(HEAD);
    is_none(HEAD "} x");
    is_none("{\"schema\":\"fluxshim/2\",\"generation\":7}");
    is_none("{\"schema\":\"fluxshim/1\",\"generation\":\"7\"}");
    is_none("{\"schema\":\"fluxshim/1\",\"generation\":0}");
    is_none("{\"schema\":\"fluxshim/1\",\"generation\":-1}");
    is_none("{\"schema\":\"fluxshim/1\",\"generation\":9007199254740991}");
    is_none(HEAD ",\"hooks\":{}}");
    is_none(HEAD ",\"state_files\":7}");
    is_none(HEAD ",\"lifetime\":[]}");
    is_none(HEAD ",\"lifetime\":{\"starts\":\"3\"}}");
    is_none(HEAD ",\"lifetime\":{\"forced\":-3}}");
    is_none(HEAD ",\"process\":{\"start_ticks\":null}}");
}

static void test_values(void)
{
    struct past past;

    unit_equal("the least", parse(HEAD "}", &past), 0);
    unit_equal("  generation", (long)past.generation, 7);
    unit_true("  nothing else", past.pid == 0 && !past.hooks && past.lifetime.starts == 0);
    past_free(&past);
    unit_equal("all",
               parse(HEAD ",\"reason\":\"periodic\",\"process\":{\"pid\":42,\"start_ticks\":9},"
                          "\"hooks\":[],\"lifetime\":{\"starts\":3,\"seconds\":1e300}}",
                     &past),
               0);
    unit_equal("  pid", past.pid, 42);
    unit_equal("  start", (long)past.start_ticks, 9);
    unit_true("  it serves", past.while_serving && past.hooks);
    unit_equal("  starts", (long)past.lifetime.starts, 3);
    unit_equal("  what is too large", (long)past.lifetime.seconds, 9007199254740991);
    past_free(&past);
    unit_equal("a pid that can't be", parse(HEAD ",\"process\":{\"pid\":1e9}}", &past), 0);
    unit_equal("  is none", past.pid, 0);
    past_free(&past);
}

/* `count` times `text` within a hook's array. */
static int parse_many(const char *text, const char *end, size_t count)
{
    size_t length = strlen(text), tail = strlen(end), size = strlen(HEAD) + 64;
    char *whole = malloc(size + count * (length + tail)), *at;
    struct past past = {0};

    at = stpcpy(whole, HEAD ",\"hooks\":[1");
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, text);
    }
    for (size_t i = 0; i < count && tail > 0; i++) {
        at = stpcpy(at, end);
    }
    at = stpcpy(at, "]}");
    int result = past_parse(whole, (size_t)(at - whole), &past);

    past_free(&past);
    free(whole);
    return result;
}

static void test_bounds(void)
{
    struct past past = {0};

    unit_equal("as deep as may be", parse_many(",[1", "]", PAST_DEPTH_MOST - 2), 0);
    unit_equal("one deeper", parse_many(",[1", "]", PAST_DEPTH_MOST - 1), -EBADMSG);
    unit_equal("many values", parse_many(",1", "", PAST_ITEMS_MOST - 10), 0);
    unit_equal("too many", parse_many(",1", "", PAST_ITEMS_MOST), -EBADMSG);
    unit_equal("brackets in text are none", parse_many(",\"[[\\\"[[\"", "", 100), 0);
    unit_equal("too large", past_parse(HEAD "}", PAST_SIZE_MOST + 1, &past), -EBADMSG);
    unit_equal("a NUL within", past_parse(HEAD "}\0x", strlen(HEAD) + 3, &past), -EBADMSG);
}

int main(void)
{
    test_types();
    test_values();
    test_bounds();
    return unit_end();
}
