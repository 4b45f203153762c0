/* SPDX-License-Identifier: MIT */
/* Says where this process's tables are, to those who look into its memory. */
/* Context: AS-Safe, MT-Safe, never blocks; tables_describe() is for arming only. */
#ifndef FLUXSHIM_SIGSAFE_TABLES_H
#define FLUXSHIM_SIGSAFE_TABLES_H

#include "format/process_tables.h"

/* Constant once this process has armed, and the same in those forked from it. */
extern struct process_tables tables;

/* The descriptor table has been mapped. */
void tables_describe(void);

#endif
