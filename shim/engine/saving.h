/* SPDX-License-Identifier: MIT */
/* A checkpoint while the server goes on. */
/* Context: coordinator thread only; may allocate and block. */
#ifndef FLUXSHIM_ENGINE_SAVING_H
#define FLUXSHIM_ENGINE_SAVING_H

/* `reason` is "periodic" or "request". Hooks save on their threads, which end with it. */
void saving_write(const char *reason);

#endif
