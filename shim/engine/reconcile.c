/* SPDX-License-Identifier: MIT */
/* Holds the table against what /proc/self/fd says. */
/* Context: coordinator thread only; may allocate; opens /proc/self/fd for a moment. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "engine/reconcile.h"
#include "engine/shim.h"
#include "engine/sockets.h"

#define TRIED_WITHOUT_PROC 1024

/* Does the table know this very socket under another descriptor? */
static bool known_elsewhere(int fd)
{
    uint64_t cookie = shim->cookie(fd);
    uint32_t end = atomic_load(&shim->fdtab->high);

    for (uint32_t other = 0; cookie != 0 && other < end; other++) {
        if (other != (uint32_t)fd &&
            (atomic_load(&shim->fdtab->entries[other].kind) & FD_CONNECTION) &&
            shim->cookie((int)other) == cookie) {
            return true;
        }
    }
    return false;
}

/* A connection set aside for the program's next accept is the queue's business. */
static bool is_stashed(int fd)
{
    for (uint32_t i = 0; i < shim->listeners_high(); i++) {
        if (atomic_load(&shim->listeners[i].stash) == fd) {
            return true;
        }
    }
    return false;
}

/* A socket that is bound to the service's address, and neither listens nor is connected, is none. */
static bool has_peer(int fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof(peer);

    return getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

static void consider(int fd)
{
    if (fd < 0 || (uint32_t)fd >= atomic_load(&shim->fdtab->size) ||
        atomic_load(&shim->fdtab->entries[fd].kind) != 0 || is_stashed(fd) ||
        !shim->is_served(fd) || !has_peer(fd) || known_elsewhere(fd)) {
        return;
    }
    log_debug("descriptor %d is a connection that passed no wrapper", fd);
    uint8_t nothing = 0; /* an accept that is just returning may know more than we do */

    if (atomic_compare_exchange_strong(&shim->fdtab->entries[fd].kind, &nothing, FD_CONNECTION)) {
        shim->raise_high((uint32_t)fd + 1);
    }
}

static void consider_range(void)
{
    int end = (int)atomic_load(&shim->fdtab->high) + TRIED_WITHOUT_PROC;

    for (int fd = 0; fd < end; fd++) {
        if (fcntl(fd, F_GETFD) != -1) {
            consider(fd);
        }
    }
}

static void tell_once(void)
{
    static bool told;

    if (!told) {
        log_info("/proc/self/fd can't be read: looking for connections one descriptor at a time");
        told = true;
    }
}

void reconcile_connections(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;

    if (!folder) {
        tell_once();
        consider_range();
        return;
    }
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
            consider((int)strtol(entry->d_name, NULL, 10));
        }
    }
    (void)closedir(folder);
}
