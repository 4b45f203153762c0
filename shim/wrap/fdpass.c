/* SPDX-License-Identifier: MIT */
/* Looks into control messages for connections. */
/* Context: AS-Safe, MT-Safe, never blocks. */
#include "wrap/fdpass.h"

#include <stdbool.h>
#include <string.h>

#include "sigsafe/family.h"
#include "sigsafe/fdtab.h"
#include "sigsafe/listeners.h"
#include "wrap/wrap.h"

static void note_sent(int fd)
{
    if (fdtab_kind(fd) & FD_CONNECTION) {
        family_passed();
    }
}

/* What isn't in the table and has a listener's address was accepted by a relative. */
static void note_received(int fd)
{
    if (!(fdtab_kind(fd) & FD_CONNECTION) && listeners_serve(fd)) {
        fdtab_record(fd, FD_CONNECTION, 0);
        family_received();
    }
}

static void for_each(const struct msghdr *message, void (*note)(int fd))
{
    struct cmsghdr *header;

    if (life_thread.in_vfork || !family_self()) {
        return;
    }
    for (header = CMSG_FIRSTHDR(message); header;
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

void fdpass_sent(const struct msghdr *message)
{
    int saved = errno;

    if (UNLIKELY(message->msg_controllen != 0)) {
        for_each(message, note_sent);
    }
    errno = saved;
}

void fdpass_received(const struct msghdr *message)
{
    int saved = errno;

    if (UNLIKELY(message->msg_controllen != 0)) {
        for_each(message, note_received);
    }
    errno = saved;
}
