/* SPDX-License-Identifier: MIT */
/* A library, no hook: getrlimit() says a million descriptors, where the hard limit can't be raised. */
#include <stddef.h>
#include <sys/resource.h>

int getrlimit(__rlimit_resource_t resource, struct rlimit *limit)
{
    int result = prlimit(0, resource, NULL, limit);

    if (result == 0 && resource == RLIMIT_NOFILE) {
        limit->rlim_max = 1048576;
    }
    return result;
}
