/* SPDX-License-Identifier: MIT */
/* Makes a program of steps on which the two runs differ as short as it gets. */
/* Context: the comparing program. */
#ifndef DIFFERENTIAL_SHRINK_H
#define DIFFERENTIAL_SHRINK_H

#include "steps.h"

/* Ranges of steps are left out, halves first, as long as the rest differs each of a few times. */
void shrink(struct steps *steps);

#endif
