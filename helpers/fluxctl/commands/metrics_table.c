/* SPDX-License-Identifier: MIT */
/* The figures: one row of the table each, with the function that prints it for one server. */
/* Context: a program of one thread. */
#include <stdlib.h>

#include "commands/metrics.h"
#include "family/describe.h"
#include "fluxshim.h"
#include "lib/exposition.h"

#ifndef FLUXCTL_VERSION
#define FLUXCTL_VERSION "unknown"
#endif

#define MS INT64_C(1000000)

struct metric {
    const char *name, *type, *help;
    void (*print)(FILE *out, const struct metric *metric, const struct server *server);
};

static void sample(FILE *out, const struct metric *metric, const struct server *server,
                   const char *value)
{
    const struct exposition_label labels[] = {{"pid", server->pid}, {"name", server->process.name}};

    exposition_sample(out, metric->name, value, labels, 2);
}

/* One of several of that name, told apart by one label more. */
static void sample_of(FILE *out, const struct metric *metric, const struct server *server,
                      const char *label, const char *which, uint64_t value)
{
    const struct exposition_label labels[] = {
        {"pid", server->pid}, {"name", server->process.name}, {label, which}};

    exposition_sample(out, metric->name, exposition_count(value), labels, 3);
}

static const struct family_stop *stop_of(const struct server *server)
{
    return &server->view.layout->stop;
}

/* Always there ----------------------------------------------------------------------------------------- */

static void print_up(FILE *out, const struct metric *metric, const struct server *server)
{
    sample(out, metric, server, "1");
}

/* /proc counts from the boot, and Prometheus from 1970. */
static void print_start(FILE *out, const struct metric *metric, const struct server *server)
{
    sample(out, metric, server,
           exposition_seconds((process_boot_s() * 1000 + server->process.began_ms) * MS));
}

static void print_phase(FILE *out, const struct metric *metric, const struct server *server)
{
    static const char *const names[FAMILY_PHASES] = {"running",    "lame_duck", "refusing",
                                                     "draining",   "forcing",   "hooks",
                                                     "checkpoint", "released"};

    for (uint32_t i = 0; i < FAMILY_PHASES; i++) {
        sample_of(out, metric, server, "phase", names[i], stop_of(server)->phase == i);
    }
}

static void print_members(FILE *out, const struct metric *metric, const struct server *server)
{
    uint64_t count = 0;

    for (size_t i = 0; i < server->view.member_count; i++) {
        count += server->view.members[i].lives;
    }
    sample(out, metric, server, exposition_count(count));
}

static void print_generation(FILE *out, const struct metric *metric, const struct server *server)
{
    sample(out, metric, server, exposition_count(server->view.layout->saving.generation));
}

static void print_saves(FILE *out, const struct metric *metric, const struct server *server)
{
    sample(out, metric, server, exposition_count(server->view.layout->saving.saves));
}

/* It is 0 or -errno there. */
static void print_error(FILE *out, const struct metric *metric, const struct server *server)
{
    int64_t error = server->view.layout->saving.error;

    sample(out, metric, server, exposition_count((uint64_t)(error < 0 ? -error : error)));
}

/* Where the sockets can be read ------------------------------------------------------------------------ */

static void print_listeners(FILE *out, const struct metric *metric, const struct server *server)
{
    if (server->is_readable) {
        sample(out, metric, server, exposition_count(server->connections.listener_count));
    }
}

static void print_refusing(FILE *out, const struct metric *metric, const struct server *server)
{
    uint64_t count = 0;

    for (size_t i = 0; i < server->connections.listener_count; i++) {
        count += server->connections.listeners[i].socket.refuses;
    }
    if (server->is_readable) {
        sample(out, metric, server, exposition_count(count));
    }
}

static void print_connections(FILE *out, const struct metric *metric, const struct server *server)
{
    static const char *const names[] = {[CONNECTION_IN_FLIGHT] = "in_flight",
                                        [CONNECTION_IDLE] = "idle",
                                        [CONNECTION_UNKNOWN] = "unknown"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && server->is_readable; i++) {
        sample_of(out, metric, server, "state", names[i],
                  connections_count(&server->connections, (enum connection_state)i));
    }
}

/* A sum without a member whose table can't be read would go down and up: a reset, to Prometheus. */
static void print_accepted(FILE *out, const struct metric *metric, const struct server *server)
{
    if (server->is_readable && server->connections.unreadable + server->connections.blind == 0) {
        sample(out, metric, server, exposition_count(server->connections.accepted));
    }
}

/* While it stops --------------------------------------------------------------------------------------- */

static void print_elapsed(FILE *out, const struct metric *metric, const struct server *server)
{
    if (stop_of(server)->phase != 0) {
        sample(out, metric, server,
               exposition_seconds(server->now_ns - describe_began(stop_of(server))));
    }
}

static void print_left_until(FILE *out, const struct metric *metric, const struct server *server,
                             int64_t until)
{
    if (stop_of(server)->phase != 0 && until != INT64_MAX && until != 0) {
        sample(out, metric, server,
               exposition_seconds(until > server->now_ns ? until - server->now_ns : 0));
    }
}

static void print_phase_left(FILE *out, const struct metric *metric, const struct server *server)
{
    print_left_until(out, metric, server, stop_of(server)->deadline_ns);
}

static void print_stop_left(FILE *out, const struct metric *metric, const struct server *server)
{
    print_left_until(out, metric, server, stop_of(server)->end_ns);
}

static void print_of_stop(FILE *out, const struct metric *metric, const struct server *server,
                          uint64_t count)
{
    if (stop_of(server)->phase >= FLUX_PHASE_DRAIN) {
        sample(out, metric, server, exposition_count(count));
    }
}

static void print_at_signal(FILE *out, const struct metric *metric, const struct server *server)
{
    print_of_stop(out, metric, server, stop_of(server)->left_at_signal);
}

static void print_left(FILE *out, const struct metric *metric, const struct server *server)
{
    print_of_stop(out, metric, server, stop_of(server)->left);
}

static void print_forced(FILE *out, const struct metric *metric, const struct server *server)
{
    print_of_stop(out, metric, server, stop_of(server)->forced);
}

/* The table -------------------------------------------------------------------------------------------- */

static const struct metric metrics[] = {
    {"fluxshim_up", "gauge", "1 for each server that runs under fluxshim.", print_up},
    {"fluxshim_start_time_seconds", "gauge", "When its main process began, in seconds since 1970.",
     print_start},
    {"fluxshim_phase", "gauge", "1 for the phase in which it is, 0 for the others.", print_phase},
    {"fluxshim_members", "gauge", "Its processes that live.", print_members},
    {"fluxshim_listeners", "gauge", "Its listening sockets.", print_listeners},
    {"fluxshim_listeners_refusing", "gauge", "Those of them that refuse new connections.",
     print_refusing},
    {"fluxshim_connections", "gauge", "Its open connections, by what is known of them.",
     print_connections},
    {"fluxshim_connections_accepted_total", "counter",
     "Connections accepted by those of its processes that live.", print_accepted},
    {"fluxshim_checkpoint_generation", "gauge",
     "Number of its last checkpoint, 0 without one; it goes on from start to start.",
     print_generation},
    {"fluxshim_checkpoint_saves_total", "counter", "Checkpoints that it has tried to write.",
     print_saves},
    {"fluxshim_checkpoint_last_error", "gauge",
     "errno of its last attempt to write a checkpoint, 0 if that went well.", print_error},
    {"fluxshim_stop_elapsed_seconds", "gauge", "Since its stop began; while it stops.",
     print_elapsed},
    {"fluxshim_stop_phase_left_seconds", "gauge",
     "Until the present phase of its stop ends by itself; while it stops.", print_phase_left},
    {"fluxshim_stop_left_seconds", "gauge", "Until FLUX_SHUTDOWN_TIMEOUT ends it; while it stops.",
     print_stop_left},
    {"fluxshim_stop_connections_at_signal", "gauge",
     "Connections that were open when its drain began; from then on.", print_at_signal},
    {"fluxshim_stop_connections_left", "gauge", "Those that still are; from the drain on.",
     print_left},
    {"fluxshim_stop_connections_forced", "gauge",
     "Those that were cut off, counted when the drain is over; from the drain on.", print_forced},
};

/* A name of which there is nothing to tell has no group, either. */
static void print_metric(FILE *out, const struct metric *metric, const struct servers *servers)
{
    char *samples = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&samples, &size);

    for (size_t i = 0; memory && i < servers->count; i++) {
        metric->print(memory, metric, &servers->rows[i]);
    }
    if (memory && fclose(memory) == 0 && size > 0) {
        exposition_group(out, metric->name, metric->type, metric->help);
        (void)fputs(samples, out);
    }
    free(samples);
}

void metrics_print(FILE *out, const struct servers *servers)
{
    const struct exposition_label version = {"version", FLUXCTL_VERSION};

    exposition_group(out, "fluxshim_build_info", "gauge",
                     "Version of fluxctl, who tells all this.");
    exposition_sample(out, "fluxshim_build_info", "1", &version, 1);
    for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
        print_metric(out, &metrics[i], servers);
    }
}
