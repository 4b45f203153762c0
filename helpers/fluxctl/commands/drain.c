/* SPDX-License-Identifier: MIT */
/* fluxctl drain and resume: refuse new connections without stopping, and take it back. */
/* Context: a program of one thread. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "family/connections.h"
#include "family/find.h"
#include "family/refusal.h"
#include "lib/options.h"
#include "lib/output.h"
#include "lib/text.h"

enum { OPTION_RUN_DIR, OPTION_FOR_GOOD };

static const struct option_row options[] = {
    [OPTION_RUN_DIR] = FIND_OPTION,
    [OPTION_FOR_GOOD] = {.name = "for-good",
                         .text = "also where nobody here could take it back (no CAP_NET_RAW)"},
};

static bool set_one(const struct listener *listener, bool refuses)
{
    const char *reason = refusal_set(listener, refuses);
    const char *address = view_address(&listener->socket.local, listener->socket.local_size);

    if (!reason || reason[0] == '\0') {
        (void)printf("%s: %s%s\n", address, refuses ? "refuses" : "listens",
                     reason ? " already" : "");
        return true;
    }
    say("%s is left as it is: %s", address, reason);
    return false;
}

static enum status set_all(const struct family_view *view, bool refuses)
{
    struct connections connections;
    int error = connections_read(view, &connections);
    bool all = true;

    if (error != 0) {
        say("its sockets can't be read: %s", strerror(-error));
        return error == -EACCES || error == -EPERM ? STATUS_NOT_ALLOWED : STATUS_NO;
    }
    for (size_t i = 0; i < connections.listener_count; i++) {
        all &= set_one(&connections.listeners[i], refuses);
    }
    if (connections.listener_count == 0) {
        say("it has no listener");
    }
    all &= connections.listener_count > 0;
    connections_free(&connections);
    return all ? STATUS_OK : STATUS_NO;
}

static enum status change(struct call *call, bool refuses)
{
    struct family_view view;
    pid_t pid;

    if (!options_pid(call->arguments[0], &pid)) {
        return STATUS_USAGE;
    }
    enum status status = find_one(call->values[OPTION_RUN_DIR], pid, &view);

    if (status != STATUS_OK) {
        return status;
    }
    if (view.layout->stop.phase != 0) {
        say("it is stopping: it refuses by itself, and that can't be taken back");
        status = STATUS_NO;
    } else {
        status = set_all(&view, refuses);
    }
    view_close(&view);
    return status;
}

static enum status drain(struct call *call)
{
    if (!call->values[OPTION_FOR_GOOD] && !refusal_is_revocable()) {
        say("without CAP_NET_RAW it could not be taken back: --for-good does it all the same");
        return STATUS_NOT_ALLOWED;
    }
    return change(call, true);
}

static enum status resume(struct call *call)
{
    return change(call, false);
}

const struct command command_drain = {
    .name = "drain",
    .arguments = "PID",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_PID,
    .summary = "refuse new connections, and go on serving those that exist",
    .details =
        "On all TCP listeners of the server. 'fluxctl resume' takes it back; nothing else does.",
    COMMAND_OPTIONS(options),
    .run = drain,
};

const struct command command_resume = {
    .name = "resume",
    .arguments = "PID",
    .least = 1,
    .most = 1,
    .completes = COMPLETES_PID,
    .summary = "accept new connections again after 'fluxctl drain'",
    .details = "",
    .options = options,
    .option_count = OPTION_FOR_GOOD,
    .run = resume,
};
