/* SPDX-License-Identifier: MIT */
/* Makes sure of the owner, and signals it. */
/* Context: a program of one thread. */
#include "family/order.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/output.h"
#include "lib/text.h"

/* A line of proc_pid_maps(5): "BEGIN-END perms offset MAJOR:MINOR INODE   PATH". */
static bool is_line_of(const char *line, const struct stat *st, const char *path)
{
    unsigned major_number, minor_number;
    uint64_t inode;
    int end = 0;

    if (sscanf(line, "%*s %*s %*s %x:%x %" SCNu64 " %n", &major_number, &minor_number, &inode,
               &end) != 3) {
        return false;
    }
    /* On an overlay the kernel may show the numbers of the file below. */
    return (inode == st->st_ino && makedev(major_number, minor_number) == st->st_dev) ||
           (strncmp(line + end, path, strlen(path)) == 0 && line[end + (int)strlen(path)] == '\n');
}

static bool has_mapped(pid_t pid, const struct family_view *view)
{
    char path[64], *line = NULL;
    size_t size = 0;
    struct stat st;
    bool found = false;

    (void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *maps = fstat(view->fd, &st) == 0 ? fopen(path, "re") : NULL;

    while (maps && !found && getline(&line, &size, maps) > 0) {
        found = is_line_of(line, &st, view->path);
    }
    free(line);
    if (maps) {
        (void)fclose(maps);
    }
    return found;
}

/* SigCgt of proc_pid_status(5): without a handler the signal would end it. */
static bool catches(pid_t pid, uint32_t signo)
{
    char path[64], line[256];
    unsigned long long set = 0;

    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *status = fopen(path, "re");

    while (status && fgets(line, sizeof(line), status)) {
        if (strncmp(line, "SigCgt:", 7) == 0) {
            set = strtoull(line + 7, NULL, 16);
        }
    }
    if (status) {
        (void)fclose(status);
    }
    return (set >> (signo - 1) & 1) != 0;
}

static bool can_be_asked(const struct family_view *view, const struct member_view *owner)
{
    uint32_t signo = view->layout->signo;

    return (int)signo >= SIGRTMIN && (int)signo <= SIGRTMAX && has_mapped(owner->pid, view) &&
           catches(owner->pid, signo);
}

enum status order_open(struct family_view *view, struct order *ret_order)
{
    const struct member_view *owner = view_owner(view);

    if (!owner) {
        say("nobody leads this server's processes any more");
        return STATUS_NOT_THERE;
    }
    int pidfd = (int)syscall(SYS_pidfd_open, owner->pid, 0);

    if (pidfd < 0 || !can_be_asked(view, owner)) {
        say("process %d can't be asked: it is not what its file says it is", (int)owner->pid);
        if (pidfd >= 0) {
            (void)close(pidfd);
        }
        return STATUS_NOT_THERE;
    }
    *ret_order = (struct order){.view = view, .owner = owner, .pidfd = pidfd};
    return STATUS_OK;
}

void order_close(struct order *order)
{
    (void)close(order->pidfd);
}

enum status order_send(const struct order *order, uint64_t what)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    info.si_signo = (int)order->view->layout->signo;
    info.si_code = SI_QUEUE;
    info.si_pid = getpid();
    info.si_uid = getuid();
    info.si_value.sival_ptr = (void *)(uintptr_t)(order->view->layout->cookie ^ what);
    if (syscall(SYS_pidfd_send_signal, order->pidfd, info.si_signo, &info, 0) == 0) {
        return STATUS_OK;
    }
    say("process %d can't be signalled: %s", (int)order->owner->pid, strerror(errno));
    return errno == EPERM ? STATUS_NOT_ALLOWED : STATUS_NOT_THERE;
}

enum status order_set_drain(const struct order *order, int64_t ns)
{
    uint64_t wanted = ns < 0 ? 0 : (uint64_t)ns + 1;
    off_t at = offsetof(struct family_layout, drain_wanted);

    if (!order->view->can_write) {
        say("its file can't be written to: its user or root may");
        return STATUS_NOT_ALLOWED;
    }
    return pwrite(order->view->fd, &wanted, sizeof(wanted), at) == sizeof(wanted) ? STATUS_OK
                                                                                  : STATUS_NO;
}

bool order_wait_for_end(const struct order *order, int64_t ns)
{
    struct pollfd end = {.fd = order->pidfd, .events = POLLIN};
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    return ppoll(&end, 1, &time, NULL) > 0;
}
