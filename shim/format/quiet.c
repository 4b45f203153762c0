/* SPDX-License-Identifier: MIT */
/* The quiet times. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "format/quiet.h"

#define HTTP_QUIET_NS INT64_C(50000000)

static int64_t by_tcp(const struct quiet_facts *facts, int64_t idle, const char **ret_why)
{
    if (!facts->has_received) {
        *ret_why = "nothing said yet";
        return 3 * idle;
    }
    *ret_why = "request not answered";
    return facts->sent_last ? 3 * idle : QUIET_NEVER;
}

int64_t quiet_needed(const struct quiet_facts *facts, int64_t idle, const char **ret_why)
{
    if (facts->evidence == EVIDENCE_NOTHING) {
        return by_tcp(facts, idle, ret_why);
    }
    if (facts->evidence == EVIDENCE_READ) {
        *ret_why = "request not answered";
        return QUIET_NEVER;
    }
    if (facts->answer == HTTP1_INCOMPLETE && facts->evidence != EVIDENCE_SAID) {
        *ret_why = "response incomplete";
        return QUIET_NEVER;
    }
    *ret_why = "answered";
    if (facts->answer == HTTP1_COMPLETE) {
        return HTTP_QUIET_NS < idle ? HTTP_QUIET_NS : idle;
    }
    return facts->evidence == EVIDENCE_WRITTEN ? 3 * idle : idle;
}
