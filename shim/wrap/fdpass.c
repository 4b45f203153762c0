/* SPDX-License-Identifier: MIT */
/* Looks into control messages for connections. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "wrap/fdpass.h"

#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/listeners.h"
#include "wrap/wrap.h"

#define CONTROL_MOST 1024 /* SCM_MAX_FD, 253 descriptors, would take as much (unix(7)) */

/* A process that gives listeners away serves, too: whoever gets this one belongs to its family. */
static void note_given(int fd)
{
    if (fdtab_kind(fd) == 0 && listeners_may_listen(fd)) {
        life_gate.arm();
        if (life_armed()) {
            listeners_record(fd, -1);
        }
    }
}

static void note_sent(int fd)
{
    if (fdtab_kind(fd) & FD_CONNECTION) {
        family_passed();
    } else if (family_self()) {
        note_given(fd);
    }
}

/* What isn't in the table and has a listener's address was accepted by a relative. */
static bool take(int fd)
{
    if (!family_self()) {
        life_gate.join(fd);
    }
    if (!family_self() || (fdtab_kind(fd) & FD_CONNECTION) || !listeners_serve(fd)) {
        return false;
    }
    fdtab_record(fd, FD_CONNECTION, 0);
    family_activate();
    return true;
}

static void note_peeked(int fd)
{
    (void)take(fd);
}

static void note_received(int fd)
{
    if (take(fd)) {
        family_received();
    }
}

/* The kernel refuses a message with a header that says more than there is; we may see it first. */
static bool has_room_for(const struct msghdr *message, const struct cmsghdr *header)
{
    size_t before = (size_t)((const char *)header - (const char *)message->msg_control);

    return header->cmsg_len <= message->msg_controllen - before;
}

static void for_each(const struct msghdr *message, void (*note)(int fd))
{
    struct cmsghdr *header;

    if (life_thread.in_vfork) {
        return;
    }
    for (header = CMSG_FIRSTHDR(message); header && has_room_for(message, header);
         header = CMSG_NXTHDR((struct msghdr *)message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t at = CMSG_LEN(0); at + sizeof(int) <= header->cmsg_len; at += sizeof(int)) {
            int fd;

            memcpy(&fd, (const char *)header + at, sizeof(fd));
            note(fd);
        }
    }
}

static bool copy_safely(const void *from, void *to, size_t size)
{
    struct iovec local = {.iov_base = to, .iov_len = size};
    struct iovec remote = {.iov_base = (void *)from, .iov_len = size};

    return real.syscall(SYS_process_vm_readv, getpid(), (long)&local, 1, (long)&remote, 1, 0) ==
           (long)size;
}

void fdpass_before_first(const struct msghdr *message)
{
    union {
        struct cmsghdr first;
        char bytes[CONTROL_MOST];
    } control;
    struct msghdr copy;
    int saved = errno;

    if (!atomic_load(&life->sandboxed) && /* whose filter may kill for process_vm_readv */
        copy_safely(message, &copy, sizeof(copy)) && copy.msg_controllen <= sizeof(control) &&
        copy.msg_controllen >= sizeof(control.first) &&
        copy_safely(copy.msg_control, &control, copy.msg_controllen)) {
        copy.msg_control = &control;
        for_each(&copy, note_given);
    }
    errno = saved;
}

void fdpass_sent(const struct msghdr *message)
{
    int saved = errno;

    if (UNLIKELY(message->msg_controllen != 0)) {
        for_each(message, note_sent);
    }
    errno = saved;
}

void fdpass_received(const struct msghdr *message, int flags)
{
    int saved = errno;

    if (UNLIKELY(message->msg_controllen != 0)) {
        for_each(message, flags & MSG_PEEK ? note_peeked : note_received);
    }
    errno = saved;
}
