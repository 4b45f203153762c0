/* SPDX-License-Identifier: MIT */
/* What is known of a program: findings and facts. */
/* Context: a program of one thread. */

/*
 *     struct report report;
 *     report_init(&report, "nginx");
 *     report_add(&report, FINDING_STATIC, NULL);
 *     report_verdict(&report);
 *     report_free(&report);
 *
 * Whoever looks at a program in another way (a process that runs, say) adds findings to the same report, and
 * has it printed by commands/check.h.
 */
#ifndef FLUXCTL_PROGRAM_REPORT_H
#define FLUXCTL_PROGRAM_REPORT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "program/findings.h"

enum verdict { VERDICT_WORKS, VERDICT_LIMITS, VERDICT_NO };

enum program_kind { PROGRAM_NONE, PROGRAM_DYNAMIC, PROGRAM_STATIC };

/* How it may learn of the signal. */
enum {
    STYLE_HANDLER = 1 << 0,
    STYLE_SIGWAIT = 1 << 1,
    STYLE_SIGNALFD = 1 << 2,
};

enum { REPORT_FINDINGS = 32, REPORT_SCRIPTS = 8 };

struct report {
    const char *name;              /* as it was given */
    char path[PATH_MAX];           /* of the program that would run in the end */
    char *scripts[REPORT_SCRIPTS]; /* that lead to it, first the one that was named */
    size_t script_count;
    enum program_kind kind;
    char *loader; /* NULL: none */
    bool serves;  /* it or its libraries call listen or accept */
    unsigned styles;
    const char *runtime; /* "python", "node", ...; NULL: none that is known */
    struct {
        enum finding finding;
        char *detail; /* NULL: none */
    } found[REPORT_FINDINGS];
    size_t count;
};

void report_init(struct report *report, const char *name);
void report_free(struct report *report);

/* A finding is kept once, with the first detail. */
void report_add(struct report *report, enum finding finding, const char *detail);
bool report_has(const struct report *report, enum finding finding);

enum verdict report_verdict(const struct report *report);

#endif
