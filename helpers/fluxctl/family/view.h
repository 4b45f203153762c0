/* SPDX-License-Identifier: MIT */
/* A copy of a family's memory in which everything is within its bounds. */
/* Context: a program of one thread. */

/*
 * The file can be written to by any member of the family at any time. So it is read once, as a whole,
 * and put in order before anybody looks: texts end, numbers of slots and phases are ones that exist.
 * What remains possible is a lie, not a crash. The file stays open: what happens later can be read
 * also when it has lost its name. A view whose refresh fails is as it was before.
 */
#ifndef FLUXCTL_FAMILY_VIEW_H
#define FLUXCTL_FAMILY_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "family/process.h"
#include "format/family_layout.h"

struct member_view {
    pid_t pid;
    uint32_t slot;
    enum family_state state;
    bool lives;
    struct process process; /* if it lives */
};

struct family_view {
    int fd;                       /* of the file */
    bool can_write;               /* else nothing can be asked of the family */
    char path[4096];              /* as it was found; may hold anything */
    struct family_layout *layout; /* the copy */
    struct family_layout *spare;  /* for the next one, until it is in order */
    struct member_view *members;  /* in use; the owner first */
    size_t member_count;
};

/* The file `name` in `folder`, which is called `path`. 0, or -errno: -EBADMSG if it is no family's. */
int view_open(int folder, const char *name, const char *path, struct family_view *ret_view);

/* The same by a link of /proc, which names what is open or mapped already. */
int view_open_followed(const char *link, const char *path, struct family_view *ret_view);

/* Read it again. 0, or -errno. */
int view_refresh(struct family_view *view);

void view_close(struct family_view *view);

/* Its owner, or NULL if nobody leads it any more. */
const struct member_view *view_owner(const struct family_view *view);

/* The member with this pid, or NULL. */
const struct member_view *view_member(const struct family_view *view, pid_t pid);

/* Does anybody of it live? Of those in another pid namespace nobody can say: true. */
bool view_lives(const struct family_view *view);
bool view_is_here(const struct family_view *view); /* its pids are ours */

/*
 * Read again until somebody lives, or nobody will: a process that forks and goes (daemon(3)) leaves a slot
 * that is reserved, and that its child fills when it runs.
 */
bool view_awaits_heir(struct family_view *view);

/* "running", "draining", ...: enum flux_phases of fluxshim.h. */
const char *view_phase(uint32_t phase);

/* What the shim says of a member in one word: "owner", "member", "clean", "program", "other". */
const char *view_role(const struct family_view *view, const struct member_view *member);

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:@name"; one of the rotating buffers of lib/text.h. */
const char *view_address(const void *address, size_t size);

#endif
