/* SPDX-License-Identifier: MIT */
/* What a program can see of itself after each step: dispositions, mask, pending signals, descriptors. */
/* Context: the program that is compared. */
#ifndef DIFFERENTIAL_FACTS_H
#define DIFFERENTIAL_FACTS_H

/* Record it all; lines only for what has changed since the last time in this process. */
void facts_record(void);

/* What takes longer: /proc/self/fd, threads, the environment, limits, the alternate stack. */
void facts_record_slow(void);

#endif
