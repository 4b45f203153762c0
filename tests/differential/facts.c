/* SPDX-License-Identifier: MIT */
/* Asking for everything that the shim might have changed. */
/* Context: the program that is compared. */
#include "facts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "allow.h"
#include "handlers.h"
#include "pool.h"
#include "record.h"

enum { SIGNALS = 65 };

struct of_signal {
    int64_t handler, flags;
    uint64_t mask;
};

struct of_descriptor {
    int64_t fd_flags, file_flags, type, revents, unread, offset, own_name, peer_name;
};

struct facts {
    struct of_signal of_signal[SIGNALS];
    uint64_t blocked, pending;
    struct of_descriptor of_descriptor[POOL_END];
};

static struct facts last; /* as recorded the last time; this process's own */

static struct of_signal ask_signal(int signo)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    if (sigaction(signo, NULL, &action) != 0)
        return (struct of_signal){.handler = -errno};
    return (struct of_signal){handlers_name(action.sa_handler), action.sa_flags & ~ALLOW_LIBC_FLAGS,
                              handlers_bits(&action.sa_mask)};
}

/* A port is only there or not: the kernel chooses it. */
static int64_t ask_name(int fd, int (*ask)(int, struct sockaddr *, socklen_t *))
{
    struct sockaddr_storage name = {0};
    socklen_t size = sizeof name;
    const char *bytes = (const char *)&name;
    int64_t sum = 0;

    if (ask(fd, (struct sockaddr *)&name, &size) != 0)
        return -errno;
    if (name.ss_family != AF_UNIX)
        return name.ss_family * 2 + (bytes[2] != 0 || bytes[3] != 0);
    for (socklen_t i = 0; i < size && i < sizeof name; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static int64_t unread(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) == 0 ? n : -errno;
}

static struct of_descriptor ask_descriptor(int fd, short revents)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return (struct of_descriptor){.fd_flags = -1};
    struct of_descriptor facts = {.fd_flags = fcntl(fd, F_GETFD),
                                  .file_flags = fcntl(fd, F_GETFL),
                                  .type = status.st_mode & S_IFMT,
                                  .revents = revents};

    if (S_ISSOCK(status.st_mode)) {
        facts.unread = unread(fd);
        facts.own_name = ask_name(fd, getsockname);
        facts.peer_name = ask_name(fd, getpeername);
    } else if (S_ISREG(status.st_mode)) {
        facts.offset = lseek(fd, 0, SEEK_CUR);
    }
    return facts;
}

static void ask_descriptors(struct of_descriptor *ret_facts)
{
    struct pollfd polls[POOL_END];

    for (int fd = 0; fd < POOL_END; fd++)
        polls[fd] = (struct pollfd){.fd = fd < POOL_FIRST ? -1 : fd, .events = POLLIN | POLLOUT};
    poll(polls, POOL_END, 0);
    for (int fd = POOL_FIRST; fd < POOL_END; fd++)
        ret_facts[fd] = ask_descriptor(fd, polls[fd].revents);
}

static void tell_changes(const struct facts *now)
{
    for (int i = 1; i < SIGNALS; i++) {
        const struct of_signal *s = &now->of_signal[i];

        if (memcmp(s, &last.of_signal[i], sizeof *s) != 0)
            record_line("    signal %d: handler %ld, flags %lx, mask %lx", i, (long)s->handler,
                        (long)s->flags, (unsigned long)s->mask);
    }
    if (now->blocked != last.blocked || now->pending != last.pending)
        record_line("    blocked %lx, pending %lx", (unsigned long)now->blocked,
                    (unsigned long)now->pending);
    for (int fd = POOL_FIRST; fd < POOL_END; fd++) {
        const struct of_descriptor *d = &now->of_descriptor[fd];

        if (memcmp(d, &last.of_descriptor[fd], sizeof *d) != 0)
            record_line("    fd %d: flags %ld %lo, type %lo, revents %lx, unread %ld, offset %ld, "
                        "names %ld %ld",
                        fd, (long)d->fd_flags, (long)d->file_flags, (long)d->type, (long)d->revents,
                        (long)d->unread, (long)d->offset, (long)d->own_name, (long)d->peer_name);
    }
}

void facts_record(void)
{
    static struct facts now; /* static, so that no byte between members is by chance */
    sigset_t set;

    for (int i = 1; i < SIGNALS; i++)
        now.of_signal[i] = ask_signal(i);
    sigprocmask(SIG_BLOCK, NULL, &set);
    now.blocked = allow_blocked(handlers_bits(&set));
    sigpending(&set);
    now.pending = handlers_bits(&set);
    ask_descriptors(now.of_descriptor);
    record_quietly(&now, sizeof now);
    tell_changes(&now);
    last = now;
}

static void record_listing(const char *folder)
{
    DIR *listing = opendir(folder);
    long sum = 0, n = 0;

    if (!listing) {
        record_value(folder, -errno);
        return;
    }
    for (struct dirent *entry; (entry = readdir(listing)) != NULL; n++)
        sum += strtol(entry->d_name, NULL, 10);
    closedir(listing);
    record_value(folder, n);
    if (strcmp(folder, "/proc/self/fd") == 0)
        record_value("sum of the numbers", sum);
}

void facts_record_slow(void)
{
    extern char **environ;
    stack_t stack;

    record_listing("/proc/self/fd");
    record_listing("/proc/self/task");
    for (char **entry = environ; *entry; entry++) {
        if (strncmp(*entry, "LD_PRELOAD=", 11) != 0)
            record_bytes("environment", *entry, strlen(*entry));
    }
    sigaltstack(NULL, &stack);
    record_value("alternate stack", stack.ss_flags);
    record_value("umask", (long)umask(022));
    record_value("dumpable", access("/proc/self/exe", R_OK));
}
