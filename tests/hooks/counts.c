/* SPDX-License-Identifier: MIT */
/* A hook that notes the figures of each event: phase, connections, seconds left in it and in all. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "fluxshim.h"

static void event(void *instance, const struct flux_event *event)
{
    char line[256];
    const char *path = getenv("HOOK_NOTES");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    int n = snprintf(line, sizeof(line), "%u %llu %llu %llu\n", event->phase,
                     (unsigned long long)event->connections_left,
                     (unsigned long long)event->remaining_ms / 1000,
                     (unsigned long long)event->shutdown_ms / 1000);

    (void)instance;
    if (fd >= 0) {
        (void)!write(fd, line, (size_t)n);
        close(fd);
    }
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = "counts",
    .priority = FLUX_PRIORITY_DEFAULT,
    .event = event,
};
