/* SPDX-License-Identifier: MIT */
/* What a cleanup hook includes. C99 and C++; needs nothing else. */

/*
 * A hook is a shared object, named in FLUX_HOOKS=path[=priority]:... The least it exports is
 *
 *     int flux_cleanup(void);
 *
 * It is called once, after the drain and before the checkpoint, on a thread of its own with every
 * signal blocked. It returns 0, or any other number for a failure, which is recorded. It has
 * FLUX_HOOK_TIMEOUT to return; after that it is recorded as "timeout" and the shutdown goes on.
 * Lower priorities run first, equal ones in the order given.
 */
#ifndef FLUXSHIM_H
#define FLUXSHIM_H

#define FLUX_PRIORITY_DATABASE 10
#define FLUX_PRIORITY_FILE     50
#define FLUX_PRIORITY_DEFAULT  100

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
int flux_cleanup(void);

#ifdef __cplusplus
}
#endif

#endif
