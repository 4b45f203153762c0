/* SPDX-License-Identifier: MIT */
/* Ends a call that would wait for ever: by a signal that comes again until it has ended. */
/* Context: the program that is compared. */

/*
 * The alarm's handler has no SA_RESTART, so a call that has nothing to wait for returns EINTR (or what it
 * has done so far) in both runs. The alarm repeats: the first may come before the call has begun to
 * wait. A call that needs no waiting is not changed by it. SIGALRM belongs to the guard alone: no step blocks,
 * sends or handles it.
 */
#ifndef DIFFERENTIAL_GUARD_H
#define DIFFERENTIAL_GUARD_H

void guard_install(void);
void guard_begin(void);
void guard_end(void);

/* A call that may wait. */
#define GUARDED(call)                                                                              \
    ({                                                                                             \
        guard_begin();                                                                             \
        long guarded_result = TRY(call);                                                           \
        guard_end();                                                                               \
        guarded_result;                                                                            \
    })

#endif
