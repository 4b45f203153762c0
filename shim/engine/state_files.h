/* SPDX-License-Identifier: MIT */
/* Files that the server keeps: recorded in each checkpoint, and compared at the next start. */
/* Context: arming and coordinator thread; may allocate and block, for STATE_FILES_NS at most. */

/*
 *     state_files_prepare(settings->state_files, past->state_files);     tells what has changed
 *     state_files_account(&record);                                      before each checkpoint
 *
 * Size, time and SHA-256 of each. The checksum is made only where size or time are not those of the
 * last one, of files up to 64 MiB, and for two seconds at most; one that could not be made is told
 * once and left out. (apart.h says why the files are not simply opened.)
 */
#ifndef FLUXSHIM_ENGINE_STATE_FILES_H
#define FLUXSHIM_ENGINE_STATE_FILES_H

#include <cjson/cJSON.h>

#include "engine/record.h"

#define STATE_FILES_LARGEST (64ll << 20)
#define STATE_FILES_NS      2000000000ll

/* `list` is FLUX_STATE_FILES; `before` the array of the last checkpoint, or NULL. */
void state_files_prepare(const char *list, const cJSON *before);

void state_files_account(struct record *record);

#endif
