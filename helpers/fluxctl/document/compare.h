/* SPDX-License-Identifier: MIT */
/* What is different between two checkpoints. */
/* Context: a program of one thread. */

/*
 * An array of objects, in the order of a checkpoint:
 *
 *     {"what": "counter", "name": "connections.forced", "old": 0, "new": 3, "difference": 3}
 *
 * `what` is one of head, counter, phase, listener, process, hook, state file; `old` is null where
 * there was none, and `new` where there is none any more. Times are milliseconds, and the same if
 * they are less than one apart. What differs between any two stops and means nothing (process ids,
 * the time of writing) is left out.
 */
#ifndef FLUXCTL_DOCUMENT_COMPARE_H
#define FLUXCTL_DOCUMENT_COMPARE_H

#include <cjson/cJSON.h>

#include "document/document.h"

cJSON *compare(const struct document *old, const struct document *new);

#endif
