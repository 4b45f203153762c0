/* SPDX-License-Identifier: MIT */
/* fluxctl checkpoint: have one written now. */
/* Context: a program of one thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "family/find.h"
#include "family/order.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

#define MS       INT64_C(1000000)
#define LOOK_NS  (2 * MS)
#define SLACK_NS (5000 * MS) /* beyond what its hooks may take */

enum { OPTION_RUN_DIR };

static const struct option_row options[] = {
    [OPTION_RUN_DIR] = FIND_OPTION,
};

static enum status tell(const struct family_view *view)
{
    const struct family_saving *saving = &view->layout->saving;

    if (saving->error != 0) {
        say("it could not be written: %s", strerror(saving->error < 0 ? -saving->error : EINVAL));
        return STATUS_NO;
    }
    (void)printf("%s: generation %" PRIu64 "\n", text_visible(view->layout->settings.checkpoint),
                 (uint64_t)saving->generation);
    return STATUS_OK;
}

static enum status save(const struct order *order)
{
    struct family_view *view = order->view;
    uint32_t before = view->layout->saving.saves;
    int64_t most = view->layout->settings.hook_timeout;
    int64_t deadline = process_now_ns() + (most < INT64_MAX / 4 ? most : 0) + SLACK_NS;
    enum status status = order_send(order, FAMILY_SAVE);

    while (status == STATUS_OK && process_now_ns() < deadline) {
        if (order_wait_for_end(order, LOOK_NS)) {
            say("process %d has ended", (int)order->owner->pid);
            return STATUS_NOT_THERE;
        }
        if (view_refresh(view) == 0 && view->layout->saving.saves != before) {
            return tell(view);
        }
    }
    if (status == STATUS_OK) {
        say("process %d did not write one in time", (int)order->owner->pid);
        status = STATUS_TIMEOUT;
    }
    return status;
}

static enum status save_if_it_may(struct family_view *view)
{
    struct order order;

    if (view->layout->settings.checkpoint[0] == '\0') {
        say("this server writes none: FLUX_CHECKPOINT is not set");
        return STATUS_NO;
    }
    if (view->layout->stop.phase != 0) {
        say("this server is stopping: it writes its last one itself");
        return STATUS_NO;
    }
    enum status status = order_open(view, &order);

    if (status == STATUS_OK) {
        status = save(&order);
        order_close(&order);
    }
    return status;
}

static enum status run(struct call *call)
{
    struct family_view view;
    pid_t pid;

    if (!options_pid(call->arguments[0], &pid)) {
        return STATUS_USAGE;
    }
    enum status status = find_one(call->values[OPTION_RUN_DIR], pid, &view);

    if (status == STATUS_OK) {
        status = save_if_it_may(&view);
        view_close(&view);
    }
    return status;
}

const struct command command_checkpoint = {
    .name = "checkpoint",
    .arguments = "PID",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_PID,
    .summary = "have a server write its checkpoint now",
    .details = "Returns when it is on disk.",
    COMMAND_OPTIONS(options),
    .run = run,
};
