/* SPDX-License-Identifier: MIT */
/* The least that a unit test needs: checks that print TAP, with both values where they differ. */
/* Context: one file a program, included once; single-threaded. */
/*
 *     int main(void)
 *     {
 *         unit_equal("two and two", 2 + 2, 4);
 *         unit_text("a greeting", greet(), "hello");
 *         return unit_end();
 *     }
 *
 * unit_end prints the plan and gives the exit status: 0 if every check held, else 1.
 */
#ifndef FLUXSHIM_TESTS_UNIT_H
#define FLUXSHIM_TESTS_UNIT_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int unit_checks;
static int unit_failures;

static bool unit_true(const char *name, bool holds)
{
    printf("%sok %d - %s\n", holds ? "" : "not ", ++unit_checks, name);
    unit_failures += !holds;
    return holds;
}

static inline bool unit_equal(const char *name, long long got, long long want)
{
    if (unit_true(name, got == want))
        return true;
    printf("#   got  %lld\n#   want %lld\n", got, want);
    return false;
}

static inline bool unit_text(const char *name, const char *got, const char *want)
{
    if (unit_true(name, strcmp(got, want) == 0))
        return true;
    printf("#   got  '%s'\n#   want '%s'\n", got, want);
    return false;
}

static int unit_end(void)
{
    printf("1..%d\n", unit_checks);
    return unit_failures == 0 ? 0 : 1;
}

#endif
