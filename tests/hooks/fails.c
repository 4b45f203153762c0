/* SPDX-License-Identifier: MIT */
/* A hook that says it failed. */
#include "fluxshim.h"

int flux_cleanup(void)
{
    return 7;
}
