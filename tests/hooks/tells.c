/* SPDX-License-Identifier: MIT */
/* A hook of the full form that notes each call: its label, which is its config, and the call. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fluxshim.h"

static void note(const char *label, const char *call, const char *detail)
{
    char line[512];
    const char *path = getenv("HOOK_NOTES");
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    int n = snprintf(line, sizeof(line), "%s %s%s%s\n", label, call, detail[0] ? " " : "", detail);

    if (fd >= 0) {
        (void)!write(fd, line, (size_t)n);
        close(fd);
    }
}

/* The config as it is, without its quotes. */
static int init(const char *config, void **ret_instance)
{
    char *label = strdup(config);

    if (label[0] == '"') {
        memmove(label, label + 1, strlen(label));
        label[strlen(label) - 1] = '\0';
    }
    note(label, "init", "");
    *ret_instance = label;
    return 0;
}

static int restore(void *instance, const char *state)
{
    note(instance, "restore", state);
    return 0;
}

static void event(void *instance, const struct flux_event *event)
{
    static const char *const names[] = {"running", "lame-duck", "refuse",     "drain",
                                        "force",   "hooks",     "checkpoint", "release"};

    note(instance, "event", event->phase < 8 ? names[event->phase] : "?");
}

static int cleanup(void *instance)
{
    note(instance, "cleanup", "");
    return 0;
}

static int64_t save(void *instance, char *buffer, uint64_t size)
{
    return snprintf(buffer, size, "{\"label\": \"%s\", \"pid\": %d}", (char *)instance,
                    (int)getpid());
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = "tells",
    .priority = FLUX_PRIORITY_DEFAULT,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .restore = restore,
    .event = event,
    .cleanup = cleanup,
    .save = save,
};
