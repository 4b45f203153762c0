/* SPDX-License-Identifier: MIT */
/* fluxctl watch --json: an object a line for each thing that happens. */
/* Context: a program of one thread. */

/*
 * fluxctl(1) lists the events and their keys: they are an interface. Times are milliseconds, and those
 * of a stop count from its beginning.
 */
#include "commands/watch.h"
#include "family/describe.h"
#include "lib/output.h"

static cJSON *event(const struct watch *watch, const char *name)
{
    cJSON *object = cJSON_CreateObject();

    json_add_text(object, "event", name);
    if (watch->began_ns != 0) {
        json_add_ms(object, "elapsed_ms", watch->now_ns - watch->began_ns);
    } else {
        (void)cJSON_AddNullToObject(object, "elapsed_ms");
    }
    return object;
}

static bool begin(struct watch *watch)
{
    cJSON *object = event(watch, "begin");

    describe_head(object, &watch->view);
    return output_json_line(object);
}

static bool leader(struct watch *watch)
{
    cJSON *object = event(watch, "leader");

    json_add_integer(object, "pid", watch->pid);
    json_add_text(object, "name", watch->name);
    return output_json_line(object);
}

static bool stop(struct watch *watch)
{
    cJSON *object = event(watch, "stop");

    describe_cause(object, &watch->view.layout->stop);
    return output_json_line(object);
}

static bool phase(struct watch *watch, uint32_t which)
{
    cJSON *object = event(watch, "phase");

    json_add_text(object, "phase", view_phase(which));
    json_add_ms(object, "start_ms", watch->view.layout->stop.entered_ns[which] - watch->began_ns);
    return output_json_line(object);
}

static bool hook(struct watch *watch)
{
    const struct family_stop *stop = &watch->view.layout->stop;
    cJSON *object = event(watch, "hook");

    json_add_text(object, "name", (const char *)stop->hook_name);
    json_add_count(object, "number", stop->hook);
    json_add_count(object, "of", stop->hooks);
    return output_json_line(object);
}

static bool second_signal(struct watch *watch)
{
    return output_json_line(event(watch, "second_signal"));
}

static void add_oldest(cJSON *object, const struct watch *watch)
{
    if (!watch->has_connections) {
        (void)cJSON_AddNullToObject(object, "oldest");
        return;
    }
    cJSON *rows = cJSON_AddArrayToObject(object, "oldest");

    for (size_t i = 0; i < watch->connections.count && i < WATCH_OLDEST; i++) {
        describe_connection(rows, &watch->connections.rows[i]);
    }
}

static bool look(struct watch *watch)
{
    const struct family_stop *now = &watch->view.layout->stop;

    if (!watch->has_changed && !(watch->second_has_passed && now->phase != 0)) {
        return true;
    }
    cJSON *object = event(watch, "progress");

    json_add_text(object, "phase", view_phase(now->phase));
    json_add_count(object, "connections_left", watch->left);
    if (watch_is_counted(watch)) {
        json_add_count(object, "connections_at_signal", now->left_at_signal);
    } else {
        (void)cJSON_AddNullToObject(object, "connections_at_signal");
    }
    describe_left(object, "phase_left_ms", now->deadline_ns, watch->now_ns);
    describe_left(object, "shutdown_left_ms", now->end_ns, watch->now_ns);
    add_oldest(object, watch);
    return output_json_line(object);
}

static bool wait_for(struct watch *watch, int ms)
{
    return watch_wait_for(watch, ms);
}

static bool end(struct watch *watch)
{
    static const char *const names[] = {[WATCH_DRAINED] = "drained",
                                        [WATCH_FORCED] = "forced",
                                        [WATCH_EXITED] = "exited",
                                        [WATCH_SERVES_ON] = "serves on",
                                        [WATCH_DIED] = "died"};

    if (watch->how == WATCH_GOES_ON) {
        return true; /* nobody reads any more */
    }
    cJSON *object = event(watch, "end");

    json_add_text(object, "how", names[watch->how]);
    json_add_count(object, "generation", watch->view.layout->saving.generation);
    describe_stop(object, &watch->view, watch->now_ns);
    return output_json_line(object);
}

const struct watch_display watch_events = {.begin = begin,
                                           .leader = leader,
                                           .stop = stop,
                                           .phase = phase,
                                           .hook = hook,
                                           .second_signal = second_signal,
                                           .look = look,
                                           .wait = wait_for,
                                           .end = end};
