/* SPDX-License-Identifier: MIT */
/* fluxctl check --live: does fluxshim work in this process, and does its table hold what the kernel has? */
/* Context: a program of one thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands/check.h"
#include "family/connections.h"
#include "family/find.h"
#include "lib/output.h"
#include "lib/table.h"
#include "lib/text.h"
#include "program/check.h"

#define AGAIN_NS 50000000 /* for an accept that is under way to reach the table */

struct live {
    pid_t pid;
    struct process process;
    bool loaded, disabled;
    bool armed; /* and then: */
    struct family_view view;
    struct connections connections;
    bool readable;
    size_t missed; /* of them, not in the table at two looks */
};

/* The process's own word --------------------------------------------------------------------------- */

static FILE *open_file(pid_t pid, const char *name)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fopen(path, "re");
}

static bool has_loaded(pid_t pid)
{
    FILE *maps = open_file(pid, "maps");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    while (maps && !found && getline(&line, &size, maps) > 0) {
        const char *name = strrchr(line, '/');

        found = name && strncmp(name, "/libfluxshim.so", 15) == 0;
    }
    free(line);
    if (maps) {
        (void)fclose(maps);
    }
    return found;
}

/* As the program was started with: proc_pid_environ(5). */
static bool is_disabled(pid_t pid)
{
    FILE *environ_file = open_file(pid, "environ");
    struct settings *settings = malloc(sizeof(*settings));
    const struct settings_row *row;
    char *entry = NULL;
    size_t size = 0;

    if (settings) {
        settings_init(settings);
    }
    while (settings && environ_file && getdelim(&entry, &size, '\0', environ_file) > 0) {
        if (strncmp(entry, "FLUX_DISABLE=", 13) == 0) {
            (void)settings_set(settings, "FLUX_DISABLE", entry + 13, SETTINGS_ENVIRONMENT, &row);
        }
    }
    bool disabled = settings && settings->disable;

    free(entry);
    free(settings);
    if (environ_file) {
        (void)fclose(environ_file);
    }
    return disabled;
}

/* The table ------------------------------------------------------------------------------------------ */

static bool was_missed(const struct connections *before, const struct connection *one)
{
    for (size_t i = 0; i < before->count; i++) {
        if (before->rows[i].socket.inode == one->socket.inode) {
            return !before->rows[i].is_tracked && !before->rows[i].is_blind;
        }
    }
    return false;
}

static bool is_missed(const struct connection *one)
{
    return !one->is_tracked && !one->is_blind;
}

/* Those of the first look that are missed at the second one, too: the others were just coming or going. */
static void compare(struct live *live)
{
    struct timespec pause = {.tv_nsec = AGAIN_NS};
    struct connections before;

    live->readable = connections_read(&live->view, &before) == 0;
    if (!live->readable) {
        return;
    }
    (void)nanosleep(&pause, NULL);
    live->readable =
        view_refresh(&live->view) == 0 && connections_read(&live->view, &live->connections) == 0;
    for (size_t i = 0; live->readable && i < live->connections.count; i++) {
        struct connection *one = &live->connections.rows[i];

        if (is_missed(one) && !was_missed(&before, one)) {
            one->is_tracked = true;
        }
        live->missed += is_missed(one);
    }
    connections_free(&before);
}

/* Showing -------------------------------------------------------------------------------------------- */

static void print_missed(const struct live *live)
{
    static const struct table_column columns[] = {
        {"PID", TABLE_RIGHT}, {"FD", TABLE_RIGHT}, {"PEER", TABLE_LEFT}};
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < live->connections.count; i++) {
        const struct connection *one = &live->connections.rows[i];
        char pid[32], fd[32];

        if (is_missed(one)) {
            (void)snprintf(pid, sizeof(pid), "%d", (int)one->pid);
            (void)snprintf(fd, sizeof(fd), "%d", one->fd);
            table_row(table, pid, fd, view_address(&one->socket.peer, one->socket.peer_size));
        }
    }
    table_print(table, 2);
}

static void print_connections(const struct live *live)
{
    size_t blind = live->connections.blind + live->connections.unreadable;

    if (!live->readable) {
        (void)puts("  connections: they can't be read: its user or root may");
        return;
    }
    (void)printf("  connections: %zu open, %zu of them not in its table\n", live->connections.count,
                 live->missed);
    if (live->missed > 0) {
        (void)puts(
            "    accepted without libc (io_uring, raw system calls): they are found when the\n"
            "    drain begins, and judged by the kernel's counters only");
        print_missed(live);
    }
    if (blind > 0) {
        (void)printf("  %zu processes can't be looked into: that takes the rights of a debugger\n",
                     blind);
    }
}

static const char *reason_of(const struct live *live)
{
    return !live->loaded    ? "libfluxshim.so is not loaded"
           : live->disabled ? "it is loaded, and FLUX_DISABLE is set"
                            : "it is loaded, and the process does not serve (yet): no listen(), no "
                              "accept()";
}

static void print_text(const struct live *live)
{
    (void)printf("%s (pid %d): %s%s%s\n", text_visible(live->process.name), (int)live->pid,
                 color(live->armed ? COLOR_GREEN : COLOR_RED), live->armed ? "armed" : "not armed",
                 color(COLOR_PLAIN));
    if (!live->armed) {
        (void)printf("  %s\n", reason_of(live));
        return;
    }
    const struct member_view *member = view_member(&live->view, live->pid);

    (void)printf("  %s of its family, %s\n", member ? view_role(&live->view, member) : "member",
                 view_phase(live->view.layout->stop.phase));
    print_connections(live);
}

static bool print_json(const struct live *live)
{
    cJSON *root = cJSON_CreateObject();

    json_add_integer(root, "pid", live->pid);
    json_add_text(root, "name", live->process.name);
    (void)cJSON_AddBoolToObject(root, "loaded", live->loaded);
    (void)cJSON_AddBoolToObject(root, "disabled", live->disabled);
    (void)cJSON_AddBoolToObject(root, "armed", live->armed);
    json_add_text(root, "phase", live->armed ? view_phase(live->view.layout->stop.phase) : NULL);
    if (!live->readable) {
        (void)cJSON_AddNullToObject(root, "connections");
        return output_json(root);
    }
    cJSON *connections = cJSON_AddObjectToObject(root, "connections");

    json_add_count(connections, "open", live->connections.count);
    json_add_count(connections, "missed", live->missed);
    json_add_count(connections, "members_unreadable",
                   live->connections.blind + live->connections.unreadable);
    return output_json(root);
}

/* What keeps it from working may be in its file. */
static void print_program(const struct live *live)
{
    char path[64];
    struct report report;

    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)live->pid);
    if (check_program(path, &report) == 0) {
        (void)check_show(&report, false);
    }
    report_free(&report);
}

static enum status show(const struct live *live, bool json)
{
    bool printed = true;

    if (json) {
        printed = print_json(live);
    } else {
        print_text(live);
        if (!live->loaded) {
            print_program(live);
        }
    }
    return printed && live->armed && live->readable && live->missed == 0 ? STATUS_OK : STATUS_NO;
}

enum status check_live(pid_t pid, const char *run_dir, bool json)
{
    struct live live = {.pid = pid};

    if (process_read(pid, &live.process) != 0) {
        say("there is no process %d", (int)pid);
        return STATUS_NOT_THERE;
    }
    FILE *maps = open_file(pid, "maps");

    if (!maps && (errno == EACCES || errno == EPERM)) {
        say("process %d (%s) is somebody else's: its user or root may look", (int)pid,
            text_visible(live.process.name));
        return STATUS_NOT_ALLOWED;
    }
    if (maps) {
        (void)fclose(maps);
    }
    live.loaded = has_loaded(pid);
    live.disabled = is_disabled(pid);
    live.armed = find_quietly(run_dir, pid, &live.view) == 0;
    if (live.armed) {
        compare(&live);
    }
    enum status status = show(&live, json);

    if (live.readable) {
        connections_free(&live.connections);
    }
    if (live.armed) {
        view_close(&live.view);
    }
    return status;
}
