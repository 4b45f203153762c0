/* SPDX-License-Identifier: MIT */
/* Shows a stop as it goes on in the family's memory, where fluxctl reads it. */
/* Context: coordinator thread only; never blocks. Without a family nothing is shown. */
#ifndef FLUXSHIM_ENGINE_PUBLISH_H
#define FLUXSHIM_ENGINE_PUBLISH_H

#include <stdint.h>

#include "engine/fsm.h"
#include "engine/record.h"

/* This state has been entered. */
void publish_state(const struct fsm *fsm, const struct record *record);

/* So many connections are left in all processes. */
void publish_left(uint64_t left);

/* The account is made up. */
void publish_account(const struct record *record);

/* Hook number `index` of `count` is called, from 0. */
void publish_hook(size_t index, size_t count, const char *name);

/* The last checkpoint has been read; another one has been written (0), or could not be (-errno). */
void publish_generation(void);
void publish_saved(int result);

#endif
