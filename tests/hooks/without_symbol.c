/* SPDX-License-Identifier: MIT */
/* A shared object that is no hook. */
int no_cleanup(void);

int no_cleanup(void)
{
    return 0;
}
