/* SPDX-License-Identifier: MIT */
/* Keeps findings. */
/* Context: a program of one thread. */
#include "program/report.h"

#include <stdlib.h>
#include <string.h>

_Static_assert((int)FINDING_COUNT <= (int)REPORT_FINDINGS, "each fits in once");

void report_init(struct report *report, const char *name)
{
    memset(report, 0, sizeof(*report));
    report->name = name;
}

void report_free(struct report *report)
{
    for (size_t i = 0; i < report->script_count; i++) {
        free(report->scripts[i]);
    }
    for (size_t i = 0; i < report->count; i++) {
        free(report->found[i].detail);
    }
    free(report->loader);
}

bool report_has(const struct report *report, enum finding finding)
{
    for (size_t i = 0; i < report->count; i++) {
        if (report->found[i].finding == finding) {
            return true;
        }
    }
    return false;
}

void report_add(struct report *report, enum finding finding, const char *detail)
{
    if (!report_has(report, finding)) {
        report->found[report->count].finding = finding;
        report->found[report->count++].detail = detail ? strdup(detail) : NULL;
    }
}

enum verdict report_verdict(const struct report *report)
{
    enum finding_level worst = FINDING_NOTE;

    for (size_t i = 0; i < report->count; i++) {
        enum finding_level level = finding_row(report->found[i].finding)->level;

        worst = level > worst ? level : worst;
    }
    return worst == FINDING_STOP    ? VERDICT_NO
           : worst == FINDING_LIMIT ? VERDICT_LIMITS
                                    : VERDICT_WORKS;
}
