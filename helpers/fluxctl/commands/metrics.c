/* SPDX-License-Identifier: MIT */
/* fluxctl metrics: for Prometheus, as text or as the file of node_exporter's textfile collector. */
/* Context: a program of one thread. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "commands/metrics.h"
#include "family/describe.h"
#include "family/find.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

#define SECOND         INT64_C(1000000000)
#define INTERVAL_LEAST (SECOND / 10)
#define INTERVAL_MOST  (24 * 3600 * SECOND)

enum { OPTION_OUTPUT, OPTION_INTERVAL, OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .argument = "FILE",
                       .text = "write it there, whole at every instant",
                       .completes = COMPLETES_FILE},
    [OPTION_INTERVAL] = {.name = "interval",
                         .letter = 'n',
                         .argument = "TIME",
                         .text = "again and again, until SIGTERM; takes --output"},
    [OPTION_RUN_DIR] = FIND_OPTION,
};

/* Which servers ---------------------------------------------------------------------------------------- */

static bool is_kept(const struct servers *servers, pid_t pid)
{
    for (size_t i = 0; i < servers->count; i++) {
        if (servers->rows[i].leader == pid) {
            return true;
        }
    }
    return false;
}

static struct server *new_row(struct servers *servers)
{
    if (servers->count == servers->room) {
        size_t room = servers->room ? 2 * servers->room : 16;
        struct server *larger = realloc(servers->rows, room * sizeof(*larger));

        if (!larger) {
            return NULL;
        }
        servers->rows = larger;
        servers->room = room;
    }
    return &servers->rows[servers->count++];
}

/* Without a process that lives here there is nobody to tell of; two processes of one server are one. */
static void keep(struct family_view *view, void *argument)
{
    struct servers *servers = argument;
    const struct member_view *leader = describe_leader(view);
    struct server *row = leader && !is_kept(servers, leader->pid) ? new_row(servers) : NULL;

    if (!row) {
        view_close(view);
        return;
    }
    *row = (struct server){.view = *view, .leader = leader->pid, .process = leader->process};
    (void)snprintf(row->pid, sizeof(row->pid), "%d", (int)leader->pid);
    row->is_readable = connections_read(view, &row->connections) == 0;
    row->now_ns = process_now_ns();
}

static int by_pid(const void *a, const void *b)
{
    const struct server *x = a, *y = b;

    return (x->leader > y->leader) - (x->leader < y->leader);
}

/* The worst of what was wrong with those that are named, which is said at the first time only. */
static enum status gather(const struct call *call, struct servers *servers, bool says)
{
    const char *run_dir = call->values[OPTION_RUN_DIR];
    enum status status = STATUS_OK;

    if (call->count == 0) {
        find_all(run_dir, keep, servers);
    }
    for (size_t i = 0; i < call->count; i++) {
        pid_t pid = (pid_t)atoi(call->arguments[i]);
        struct family_view view;
        enum status one =
            says ? find_one(run_dir, pid, &view)
                 : (find_quietly(run_dir, pid, &view) == 0 ? STATUS_OK : STATUS_NOT_THERE);

        if (one == STATUS_OK) {
            keep(&view, servers);
        } else {
            status = one;
        }
    }
    if (servers->count > 0) {
        qsort(servers->rows, servers->count, sizeof(*servers->rows), by_pid);
    }
    return status;
}

static void forget(struct servers *servers)
{
    for (size_t i = 0; i < servers->count; i++) {
        if (servers->rows[i].is_readable) {
            connections_free(&servers->rows[i].connections);
        }
        view_close(&servers->rows[i].view);
    }
    free(servers->rows);
    *servers = (struct servers){.rows = NULL};
}

/* Writing ---------------------------------------------------------------------------------------------- */

static bool print(const struct servers *servers)
{
    metrics_print(stdout, servers);
    return fflush(stdout) == 0;
}

static int write_beside(int fd, const struct servers *servers)
{
    FILE *out = fchmod(fd, 0644) == 0 ? fdopen(fd, "w") : NULL;

    if (!out) {
        int error = errno;

        (void)close(fd);
        return -error;
    }
    metrics_print(out, servers);
    int failed = ferror(out);

    return fclose(out) != 0 ? -errno : failed ? -EIO : 0;
}

/* Its name must not end in .prom before it is whole: the collector reads what does. */
static bool replace(const char *path, const struct servers *servers)
{
    char *temporary = NULL;
    int fd = asprintf(&temporary, "%s.XXXXXX", path) > 0 ? mkstemp(temporary) : -1;
    int error = fd >= 0 ? write_beside(fd, servers) : -errno;

    if (error == 0 && rename(temporary, path) != 0) {
        error = -errno;
    }
    if (fd >= 0 && error != 0) {
        (void)unlink(temporary);
    }
    if (error != 0) {
        say("%s can't be written: %s", text_visible(path), strerror(-error));
    }
    free(temporary);
    return error == 0;
}

static enum status write_once(const struct call *call, bool is_first)
{
    struct servers servers = {.rows = NULL};
    enum status status = gather(call, &servers, is_first);
    const char *path = call->values[OPTION_OUTPUT];
    bool written = path ? replace(path, &servers) : print(&servers);

    forget(&servers);
    return written ? status : STATUS_NO;
}

/* The loop --------------------------------------------------------------------------------------------- */

/* True: it has come. Blocked meanwhile, so that each file is whole and none is left half written. */
static bool wait_for_end(const sigset_t *set, int64_t ns)
{
    struct timespec time = {.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
    int signo;

    do {
        signo = sigtimedwait(set, NULL, &time);
    } while (signo < 0 && errno == EINTR);
    return signo > 0;
}

/* What goes wrong later (a full disk) is said, and tried again. */
static enum status write_often(const struct call *call, int64_t interval)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    if (write_once(call, true) == STATUS_NO) {
        return STATUS_NO;
    }
    int64_t next = process_now_ns() + interval;

    while (!wait_for_end(&set, next > process_now_ns() ? next - process_now_ns() : 0)) {
        (void)write_once(call, false);
        next += interval;
        if (next < process_now_ns()) {
            next = process_now_ns();
        }
    }
    return STATUS_OK;
}

static bool read_interval(const struct call *call, int64_t *ret_ns)
{
    const char *text = call->values[OPTION_INTERVAL];

    if (!options_duration("interval", text, ret_ns)) {
        return false;
    }
    if (*ret_ns < INTERVAL_LEAST || *ret_ns > INTERVAL_MOST) {
        say("--interval=%s: allowed are 100ms to 24h", text_visible(text));
        return false;
    }
    if (!call->values[OPTION_OUTPUT]) {
        say("--interval takes --output, too: where nothing else is, one exposition must be");
        return false;
    }
    return true;
}

static enum status run(struct call *call)
{
    int64_t interval;

    for (size_t i = 0; i < call->count; i++) {
        pid_t pid;

        if (!options_pid(call->arguments[i], &pid)) {
            return STATUS_USAGE;
        }
    }
    if (!call->values[OPTION_INTERVAL]) {
        return write_once(call, true);
    }
    return read_interval(call, &interval) ? write_often(call, interval) : STATUS_USAGE;
}

const struct command command_metrics = {
    .name = "metrics",
    .arguments = "[PID]...",
    .least = 0,
    .most = SIZE_MAX,
    .completes = COMPLETES_PID,
    .summary = "figures of all servers, or of those that are named, for Prometheus",
    .details =
        "With --output FILE.prom for node_exporter's textfile collector: it is written beside and\n"
        "renamed. A server that has gone is not in it any more.",
    COMMAND_OPTIONS(options),
    .run = run,
};
