/* SPDX-License-Identifier: MIT */
/* The table. */
/* Context: a program of one thread. */
#include "program/findings.h"

const struct finding_row *finding_row(enum finding finding)
{
#define ROW(ID, id, level, text, remedy) [FINDING_##ID] = {#id, level, text, remedy},
    static const struct finding_row rows[FINDING_COUNT] = {FINDING_ROWS(ROW)};
#undef ROW

    return &rows[finding];
}

const char *finding_level_name(enum finding_level level)
{
    static const char *const names[] = {
        [FINDING_NOTE] = "note", [FINDING_LIMIT] = "limit", [FINDING_STOP] = "stop"};

    return names[level];
}
