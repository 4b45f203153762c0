/* SPDX-License-Identifier: MIT */
/* Statements over one connection to PostgreSQL, all within one deadline. */
/* Context: any thread; blocks until the deadline at most. */
#ifndef FLUXSHIM_HOOKS_POSTGRES_SESSION_H
#define FLUXSHIM_HOOKS_POSTGRES_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether libpq takes it for a connection string. Its message could hold a part of the password. */
bool session_is_connection(const char *connection);

/* Each statement in its turn until one fails, which is told in the log. 0 or an errno value. */
int session_run(const char *connection, const char *const *statements, size_t count,
                int64_t timeout_ms);

#endif
