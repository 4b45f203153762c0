/* SPDX-License-Identifier: MIT */
/* fluxctl stop: the same as SIGTERM, without a signal from outside. */
/* Context: a program of one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "family/describe.h"
#include "family/find.h"
#include "family/order.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

#define MS       INT64_C(1000000)
#define BEGIN_NS (3000 * MS) /* for a signal to be taken on a loaded machine */
#define LOOK_NS  (5 * MS)
#define SLACK_NS (5000 * MS) /* beyond FLUX_SHUTDOWN_TIMEOUT */

enum { OPTION_DRAIN, OPTION_NOW, OPTION_WAIT, OPTION_TIMEOUT, OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_DRAIN] = {.name = "drain",
                      .letter = 'd',
                      .argument = "TIME",
                      .text = "how long connections may take, instead of FLUX_DRAIN_TIMEOUT"},
    [OPTION_NOW] = {.name = "now",
                    .letter = 'n',
                    .text = "don't wait for connections; ends a drain that is under way"},
    [OPTION_WAIT] = {.name = "wait",
                     .letter = 'w',
                     .text = "return when the process has ended, and tell how"},
    [OPTION_TIMEOUT] = {.name = "timeout",
                        .letter = 't',
                        .argument = "TIME",
                        .text = "how long to wait for that, at most"},
    [OPTION_RUN_DIR] = FIND_OPTION,
};

struct wish {
    int64_t drain_ns; /* ORDER_AS_SET: as it is set */
    int64_t timeout_ns;
    bool now, wait;
};

static bool read_wish(const struct call *call, struct wish *wish)
{
    const char *drain = call->values[OPTION_DRAIN], *timeout = call->values[OPTION_TIMEOUT];

    *wish = (struct wish){.drain_ns = ORDER_AS_SET,
                          .timeout_ns = INT64_MAX,
                          .now = call->values[OPTION_NOW] != NULL,
                          .wait = call->values[OPTION_WAIT] != NULL};
    if (drain && wish->now) {
        say("--now leaves no time for --drain");
        return false;
    }
    if (wish->now) {
        wish->drain_ns = 0;
    }
    return (!drain || options_duration("drain", drain, &wish->drain_ns)) &&
           (!timeout || options_duration("timeout", timeout, &wish->timeout_ns));
}

static bool is_stopping(const struct family_view *view)
{
    return view->layout->stop.phase != 0;
}

/* The drain ends within the whole shutdown, whoever asks for it. */
static bool fits(const struct wish *wish, const struct family_view *view)
{
    int64_t most = view->layout->settings.shutdown_timeout;

    if (wish->drain_ns != ORDER_AS_SET && wish->drain_ns > most) {
        say("--drain: at most FLUX_SHUTDOWN_TIMEOUT, which is %s for this server",
            text_duration(most));
        return false;
    }
    return true;
}

static enum status begin(const struct order *order)
{
    enum status status = order_send(order, FAMILY_STOP);
    int64_t deadline = process_now_ns() + BEGIN_NS;

    while (status == STATUS_OK && process_now_ns() < deadline) {
        if (order_wait_for_end(order, LOOK_NS) ||
            (view_refresh(order->view) == 0 && is_stopping(order->view))) {
            return STATUS_OK;
        }
    }
    if (status == STATUS_OK) {
        say("process %d does not stop: does it ignore its signals, or run in a sandbox?",
            (int)order->owner->pid);
        status = STATUS_NO;
    }
    (void)order_set_drain(order, ORDER_AS_SET); /* not for the next one */
    return status;
}

static enum status ask(const struct order *order, const struct wish *wish)
{
    if (is_stopping(order->view)) {
        if (!wish->now) {
            say("it is stopping already%s", wish->wait ? "" : ": --now ends the drain");
        }
        return wish->now ? order_send(order, FAMILY_HURRY) : STATUS_OK;
    }
    enum status status = fits(wish, order->view) ? STATUS_OK : STATUS_USAGE;

    if (status == STATUS_OK && (wish->drain_ns != ORDER_AS_SET || order->view->can_write)) {
        status = order_set_drain(order, wish->drain_ns);
    }
    return status == STATUS_OK ? begin(order) : status;
}

/* Waiting -------------------------------------------------------------------------------------------- */

static enum status tell_end(struct family_view *view, int64_t began)
{
    const struct family_stop *stop = &view->layout->stop;

    (void)view_refresh(view);
    (void)printf("ended after %s: %" PRIu64 " finished, %" PRIu64 " cut off\n",
                 text_duration(process_now_ns() - began), (uint64_t)stop->drained,
                 (uint64_t)stop->forced);
    return stop->forced > 0 ? STATUS_FORCED : STATUS_OK;
}

static enum status wait_for_end(const struct order *order, const struct wish *wish)
{
    int64_t now = process_now_ns(), began = describe_began(&order->view->layout->stop);
    int64_t end = order->view->layout->stop.end_ns;
    int64_t most = end > now && end < INT64_MAX - SLACK_NS ? end + SLACK_NS - now : SLACK_NS;
    pid_t pid = order->owner->pid;

    if (order_wait_for_end(order, wish->timeout_ns < most ? wish->timeout_ns : most)) {
        return tell_end(order->view, began ? began : now);
    }
    say("process %d has not ended%s", (int)pid,
        wish->timeout_ns < most ? " yet" : ": it goes on by itself, or hangs");
    return STATUS_TIMEOUT;
}

static enum status run(struct call *call)
{
    struct family_view view;
    struct order order;
    struct wish wish;
    pid_t pid;

    if (!read_wish(call, &wish) || !options_pid(call->arguments[0], &pid)) {
        return STATUS_USAGE;
    }
    enum status status = find_one(call->values[OPTION_RUN_DIR], pid, &view);

    if (status != STATUS_OK) {
        return status;
    }
    status = order_open(&view, &order);
    if (status == STATUS_OK) {
        status = ask(&order, &wish);
        if (status == STATUS_OK && wish.wait) {
            status = wait_for_end(&order, &wish);
        }
        order_close(&order);
    }
    view_close(&view);
    return status;
}

const struct command command_stop = {
    .name = "stop",
    .arguments = "PID",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_PID,
    .summary = "stop a server as SIGTERM would",
    .details = "PID is any process of the server. Returns once the stop has begun; with --wait "
               "when it is\n"
               "over: 0, everything finished; 6, connections were cut off; 5, it has not ended.",
    COMMAND_OPTIONS(options),
    .run = run,
};
