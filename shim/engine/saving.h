/* SPDX-License-Identifier: MIT */
/* A checkpoint while the server goes on. */
/* Context: coordinator thread only; may allocate and block. */
#ifndef FLUXSHIM_ENGINE_SAVING_H
#define FLUXSHIM_ENGINE_SAVING_H

#include "engine/record.h"

/*
 * `reason` is "periodic" or "request". Hooks save on their threads, which end with it. The record is the
 * shutdown's, which has not begun, and is empty again afterwards: it is too large to have two.
 */
void saving_write(struct record *record, const char *reason);

#endif
