/* SPDX-License-Identifier: MIT */
/* A program that was exec'd joins the family whose connection or listener it has been given. */
/* Context: the program's thread, inside recvmsg or accept; may allocate and block. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "boot/boot.h"
#include "boot/family_file.h"
#include "sigsafe/family.h"
#include "sigsafe/listeners.h"
#include "sigsafe/process.h"
#include "sigsafe/safepoint.h"

#define ANCESTORS_MOST 16
#define PAUSE_MS       1000

struct claim {
    int fd;
    uint64_t cookie;
    pid_t kin[ANCESTORS_MOST]; /* this process and its ancestors, 0: no more */
};

static bool is_kin(struct family_layout *layout, const struct claim *claim)
{
    for (int i = 0; i < ANCESTORS_MOST && claim->kin[i] > 1; i++) {
        if (family_knows(layout, claim->kin[i])) {
            return true;
        }
    }
    return false;
}

/* Its parent or grandparent is one of them, and this socket is theirs. */
static bool fits(struct family_layout *layout, void *argument)
{
    const struct claim *claim = argument;

    return is_kin(layout, claim) &&
           (family_listens(layout, claim->cookie) || listeners_serve_as(claim->fd, layout));
}

static void find_kin(struct claim *claim)
{
    struct process_stat stat;
    pid_t pid = getpid();

    for (int i = 0; i < ANCESTORS_MOST && pid > 1; i++) {
        claim->kin[i] = pid;
        pid = process_stat(pid, &stat) == 0 ? stat.parent : 0;
    }
}

static int option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : 0;
}

/* Who has looked in vain needn't look for each connection: relatives don't come and go. */
static bool is_too_soon(void)
{
    static _Atomic int64_t not_before_ms;
    int64_t now = process_now_ms(), due = atomic_load(&not_before_ms);

    return now < due || !atomic_compare_exchange_strong(&not_before_ms, &due, now + PAUSE_MS);
}

void join_for(int fd)
{
    struct claim claim = {.fd = fd};
    int saved = errno, cancels;

    if (life_thread.in_vfork || getauxval(AT_SECURE) || atomic_load(&life->sandboxed) ||
        family_self() || arm_was_tried() || option(fd, SO_TYPE) != SOCK_STREAM ||
        (!option(fd, SO_ACCEPTCONN) && is_too_soon())) {
        errno = saved;
        return;
    }
    /* What recvmsg has already taken would be lost with a thread that is cancelled here. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancels);
    claim.cookie = listeners_cookie(fd);
    find_kin(&claim);
    struct family_layout *layout = family_file_find(environment_run_dir(), fits, &claim);

    if (layout) {
        arm_as_guest(layout);
    }
    (void)pthread_setcancelstate(cancels, NULL);
    errno = saved;
}

static struct family_layout *taken_over; /* from the program before this one */

/*
 * Looked at before the entry goes: what has come here through a program without the shim is no family
 * of this process's, and doesn't arm it. (And a program may write over its environment.)
 */
void join_note_exec(void)
{
    const char *path = getenv(FAMILY_VARIABLE);

    if (!path) {
        return;
    }
    taken_over = family_file_open(path);
    (void)unsetenv(FAMILY_VARIABLE);
    if (taken_over) {
        atomic_fetch_or(&life->work, SAFEPOINT_INHERITED);
    }
}

struct family_layout *join_own(void)
{
    struct family_layout *layout = taken_over;

    taken_over = NULL;
    return layout;
}
