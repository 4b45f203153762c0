/* SPDX-License-Identifier: MIT */
/* Tests shim/format/quiet: each state of the evidence with each answer, and why. */
/* Context: a program that prints TAP; single-threaded. */
#include "format/quiet.h"

#include <stddef.h>
#include <stdio.h>

#include "unit.h"

#define MS   INT64_C(1000000)
#define IDLE (500 * MS)

static const struct {
    const char *name;
    struct quiet_facts facts;
    int64_t needed;
    const char *why;
} rows[] = {
    {"nothing said", {EVIDENCE_NOTHING, HTTP1_UNKNOWN, false, false}, 3 * IDLE, "nothing said yet"},
    {"nothing seen, and TCP has a request",
     {EVIDENCE_NOTHING, HTTP1_UNKNOWN, true, false},
     QUIET_NEVER,
     "request not answered"},
    {"nothing seen, and TCP has an answer",
     {EVIDENCE_NOTHING, HTTP1_UNKNOWN, true, true},
     3 * IDLE,
     "request not answered"},
    {"read", {EVIDENCE_READ, HTTP1_UNKNOWN, true, false}, QUIET_NEVER, "request not answered"},
    {"read behind a whole response",
     {EVIDENCE_READ, HTTP1_COMPLETE, true, true},
     QUIET_NEVER,
     "request not answered"},
    {"written", {EVIDENCE_WRITTEN, HTTP1_UNKNOWN, true, true}, 3 * IDLE, "answered"},
    {"written in part",
     {EVIDENCE_WRITTEN, HTTP1_INCOMPLETE, true, true},
     QUIET_NEVER,
     "response incomplete"},
    {"written as a whole", {EVIDENCE_WRITTEN, HTTP1_COMPLETE, true, true}, 50 * MS, "answered"},
    {"listening", {EVIDENCE_LISTENING, HTTP1_UNKNOWN, true, true}, IDLE, "answered"},
    {"listening in the midst of a response",
     {EVIDENCE_LISTENING, HTTP1_INCOMPLETE, true, true},
     QUIET_NEVER,
     "response incomplete"},
    {"shut down in the midst of one",
     {EVIDENCE_SAID, HTTP1_INCOMPLETE, true, true},
     IDLE,
     "answered"},
    {"shut down", {EVIDENCE_SAID, HTTP1_UNKNOWN, true, true}, IDLE, "answered"},
};

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = NULL;

        unit_equal(rows[i].name, quiet_needed(&rows[i].facts, IDLE, &why), rows[i].needed);
        unit_text(rows[i].name, why, rows[i].why);
    }
    const char *why = NULL;
    struct quiet_facts whole = {EVIDENCE_WRITTEN, HTTP1_COMPLETE, true, true};

    unit_equal("a whole response never waits for longer than FLUX_IDLE",
               quiet_needed(&whole, 20 * MS, &why), 20 * MS);
    return unit_end();
}
