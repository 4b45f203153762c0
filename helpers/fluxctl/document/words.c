/* SPDX-License-Identifier: MIT */
/* Puts numbers and reasons into words. */
/* Context: a program of one thread. */
#include "document/words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/text.h"

#define NS_PER_MS 1000000
#define SAID_MOST 512
#define MINUTE_MS 60000.0
#define MS_BOUND  1e12 /* as nanoseconds they would not fit */

const char *words_ms(double ms)
{
    char text[SAID_MOST];

    if (isnan(ms)) {
        return "-";
    }
    if (ms == 0) {
        return "0 ms";
    }
    if (fabs(ms) < 0.05) {
        return "<0.1 ms";
    }
    if (ms < -MS_BOUND || ms > MS_BOUND) {
        return ms < 0 ? "before ever" : "for ever";
    }
    if (fabs(ms) >= MINUTE_MS) {
        (void)snprintf(text, sizeof(text), "%s%s", ms < 0 ? "-" : "",
                       text_duration((int64_t)fabs(ms) * NS_PER_MS));
        return text_visible(text);
    }
    if (fabs(ms) > 999) {
        (void)snprintf(text, sizeof(text), "%.2f s", ms / 1000);
    } else {
        (void)snprintf(text, sizeof(text), "%.*f ms", fabs(ms) < 10 ? 1 : 0, ms);
    }
    return text_visible(text);
}

const char *words_bytes(int64_t bytes)
{
    static const char units[] = "kMGTPE";
    char text[SAID_MOST];
    double value = (double)bytes;
    size_t unit = 0;

    if (bytes == FIELD_NONE) {
        return "-";
    }
    while (value >= 999.5 && unit < sizeof(units) - 1) {
        value /= 1000;
        unit++;
    }
    if (unit == 0) {
        (void)snprintf(text, sizeof(text), "%" PRId64 " B", bytes);
    } else {
        (void)snprintf(text, sizeof(text), "%.1f %cB", value, units[unit - 1]);
    }
    return text_visible(text);
}

const char *words_number(int64_t number)
{
    char text[SAID_MOST];

    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    return number == FIELD_NONE ? "-" : text_visible(text);
}

/* It has been checked: "....-..-..T..:..:..". Milliseconds are left out. */
const char *words_time(const char *time)
{
    char text[SAID_MOST];
    const char *clock = time ? strchr(time, 'T') : NULL;

    if (!clock) {
        return "-";
    }
    (void)snprintf(text, sizeof(text), "%.*s %.8s UTC", (int)(clock - time), time, clock + 1);
    return text_visible(text);
}

const char *words_connections(int64_t count)
{
    char text[SAID_MOST];

    (void)snprintf(text, sizeof(text), "%" PRId64 " connection%s", count, count == 1 ? "" : "s");
    return text_visible(text);
}

static bool has_reason(const struct document *document, const char *reason)
{
    return strcmp(document->reason, reason) == 0;
}

bool words_is_serving(const struct document *document)
{
    return has_reason(document, "periodic") || has_reason(document, "request");
}

static const char *why_signal(const struct document_signal *signal)
{
    char name[SAID_MOST], text[2 * SAID_MOST];

    if (signal->name) {
        (void)snprintf(name, sizeof(name), "SIG%s", signal->name);
    } else {
        (void)snprintf(name, sizeof(name), "signal %" PRId64, signal->number);
    }
    if (signal->sender.pid == FIELD_NONE) {
        (void)snprintf(text, sizeof(text), "%s from the kernel", name);
    } else {
        (void)snprintf(text, sizeof(text), "%s from process %" PRId64 " of uid %" PRId64, name,
                       signal->sender.pid, signal->sender.uid);
    }
    return text_visible(text);
}

const char *words_why(const struct document *document)
{
    char text[SAID_MOST];

    if (document->signal.number != 0 && !has_reason(document, "demand")) {
        return why_signal(&document->signal);
    }
    if (has_reason(document, "exit")) {
        (void)snprintf(text, sizeof(text), "the program's own end, with status %s",
                       words_number(document->exit_status));
        return text_visible(text);
    }
    return has_reason(document, "demand")   ? "the program's own wish (flux_trigger)"
           : has_reason(document, "family") ? "its family's stop"
                                            : text_visible(document->reason);
}

const char *words_outcome(const struct document *document)
{
    const struct document_connections *connections = &document->connections;
    int64_t all = connections->drained + connections->forced, forced = connections->forced;
    char text[SAID_MOST];

    if (words_is_serving(document)) {
        (void)snprintf(text, sizeof(text), "%s open", words_connections(connections->open));
    } else if (all == 0) {
        return "there were no connections";
    } else if (forced == 0) {
        (void)snprintf(text, sizeof(text), "%s%s finished", all == 1 ? "the " : "all ",
                       all == 1 ? "one connection" : words_connections(all));
    } else {
        (void)snprintf(text, sizeof(text), "%" PRId64 " of %s %s ended", forced,
                       words_connections(all), forced == 1 ? "was" : "were");
    }
    return text_visible(text);
}

bool words_hook_is_good(const struct document_hook *hook)
{
    return strcmp(hook->status, "ok") == 0 || strcmp(hook->status, "serving") == 0;
}
