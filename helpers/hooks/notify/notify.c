/* SPDX-License-Identifier: MIT */
/* Built-in hook: tells the service manager how a stop is going, in the protocol of sd_notify(3). */
/* Context: init and RUNNING in the program's thread, the rest on the hook's own; never blocks. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fluxshim.h"
#include "lib/config.h"
#include "lib/log.h"

const char hook_name[] = "notify";

#define MARGIN_MS  5000  /* beyond the end of a phase */
#define UNKNOWN_MS 60000 /* if no phase has an end */

struct notify {
    struct sockaddr_un address;
    socklen_t length; /* 0: nobody is listening */
    bool ready;       /* READY=1 once it serves */
    bool stopping;    /* STOPPING=1 was sent */
    int error;        /* the first one; cleanup returns it */
};

/* Remembered now: a program may unset it, as sd_notify(3) offers to. */
static void remember_address(struct notify *notify, const char *path)
{
    size_t n = path ? strlen(path) : 0;

    if (n < 2) {
        log_line(LOG_DEBUG, "NOTIFY_SOCKET isn't set: nobody is told");
    } else if ((*path != '/' && *path != '@') || n >= sizeof(notify->address.sun_path)) {
        log_line(LOG_WARN, "NOTIFY_SOCKET is no address that this hook knows: '%.120s'", path);
    } else {
        notify->address.sun_family = AF_UNIX;
        memcpy(notify->address.sun_path, path, n + 1);
        notify->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
        if (*path == '@') {
            notify->address.sun_path[0] = '\0'; /* unix(7): abstract, the length is part of it */
        }
    }
}

static int init(const char *json, void **ret_instance)
{
    struct config config;
    bool has_config = strcmp(json, "null") != 0;
    struct config_place top = config_open(&config, has_config ? json : "{}");
    struct notify *notify = config_allocate(&config, sizeof(*notify));

    if (!notify) {
        return config_close(&config, NULL, ret_instance);
    }
    config_only(&top, "ready");
    notify->ready = config_flag(&top, "ready", false);
    remember_address(notify, getenv("NOTIFY_SOCKET"));
    return config_close(&config, notify, ret_instance);
}

/* A manager that reads too slowly costs a message, and never time. */
static void send_message(struct notify *notify, const char *message)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0 || sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
                         (const struct sockaddr *)&notify->address, notify->length) < 0) {
        error = errno;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (error && !notify->error) {
        notify->error = error;
        log_line(LOG_WARN, "NOTIFY_SOCKET: %s", strerror(error));
    }
}

static void describe(char *text, size_t size, const struct flux_event *event)
{
    static const char *const words[] = {
        [FLUX_PHASE_RUNNING] = "serving",
        [FLUX_PHASE_LAME_DUCK] = "stopping soon, still accepting",
        [FLUX_PHASE_REFUSE] = "refusing new connections",
        [FLUX_PHASE_DRAIN] = "draining",
        [FLUX_PHASE_FORCE] = "ending what remains",
        [FLUX_PHASE_HOOKS] = "cleaning up",
        [FLUX_PHASE_CHECKPOINT] = "writing the checkpoint",
        [FLUX_PHASE_RELEASE] = "exiting",
    };
    int n = snprintf(text, size, "%s",
                     event->phase <= FLUX_PHASE_RELEASE ? words[event->phase] : "stopping");

    if (event->phase == FLUX_PHASE_DRAIN) {
        snprintf(text + n, size - (size_t)n, ", %" PRIu64 " connection%s left",
                 event->connections_left, event->connections_left == 1 ? "" : "s");
    }
}

/*
 * From now on: to the end of the phase and some more, for the next message comes then at the latest.
 * The manager takes it as the least, it never shortens TimeoutStopSec.
 */
static uint64_t extension_us(const struct flux_event *event)
{
    uint64_t ms =
        event->remaining_ms < event->shutdown_ms ? event->remaining_ms : event->shutdown_ms;

    return (ms == UINT64_MAX ? UNKNOWN_MS : ms + MARGIN_MS) * 1000;
}

static void tell_running(struct notify *notify)
{
    if (notify->ready) {
        send_message(notify, "READY=1\nSTATUS=serving");
    }
}

static void tell_stopping(struct notify *notify, const struct flux_event *event)
{
    char message[256], status[100];

    describe(status, sizeof(status), event);
    snprintf(message, sizeof(message), "%sSTATUS=%s\nEXTEND_TIMEOUT_USEC=%" PRIu64,
             notify->stopping ? "" : "STOPPING=1\n", status, extension_us(event));
    notify->stopping = true;
    send_message(notify, message);
}

static void event(void *instance, const struct flux_event *event)
{
    struct notify *notify = instance;

    if (notify->length == 0) {
        return;
    }
    if (event->phase == FLUX_PHASE_RUNNING) {
        tell_running(notify);
    } else {
        tell_stopping(notify, event);
    }
}

static int cleanup(void *instance)
{
    const struct notify *notify = instance;

    return notify->error;
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = hook_name,
    .priority = FLUX_PRIORITY_DEFAULT,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .event = event,
    .cleanup = cleanup,
};
