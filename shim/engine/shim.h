/* SPDX-License-Identifier: MIT */
/* The shim as the engine sees it. */
/* Context: each function's own, see sigsafe/bridge.h. */
#ifndef FLUXSHIM_ENGINE_SHIM_H
#define FLUXSHIM_ENGINE_SHIM_H

#include "sigsafe/bridge.h"

/* Set when the engine is loaded, constant afterwards. */
extern const struct bridge *shim;

#define log_error(...) shim->log(SETTINGS_LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  shim->log(SETTINGS_LOG_WARN, __VA_ARGS__)
#define log_info(...)  shim->log(SETTINGS_LOG_INFO, __VA_ARGS__)
#define log_debug(...) shim->log(SETTINGS_LOG_DEBUG, __VA_ARGS__)

/* CLOCK_MONOTONIC in nanoseconds. */
int64_t shim_now(void);

#endif
