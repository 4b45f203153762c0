/* SPDX-License-Identifier: MIT */
/* A hook that calls a function which no object has. */
#include "fluxshim.h"

int flux_test_nowhere(void);

int flux_cleanup(void)
{
    return flux_test_nowhere();
}
