/* SPDX-License-Identifier: MIT */
/* Built-in hook: files that are written, emptied, renamed or removed as the server starts and stops. */
/* Context: init and RUNNING in the program's thread, the rest on the hook's own; may block. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file/action.h"
#include "fluxshim.h"
#include "lib/config.h"
#include "lib/log.h"
#include "lib/phase.h"

const char hook_name[] = "file";

#define ACTIONS_MOST 1000

struct file {
    size_t count;
    int first_error;
    struct action actions[];
};

/* An octal number, as chmod(1) takes it. */
static mode_t read_mode(const struct config_place *at)
{
    const char *text = config_text(at, "mode", "0644");
    size_t n = text ? strspn(text, "01234567") : 0;

    if (text && (n == 0 || n > 4 || text[n] != '\0')) {
        config_wrong(at, "mode", "must be octal digits in quotes, such as \"0644\"");
    }
    return text ? (mode_t)strtoul(text, NULL, 8) : 0;
}

/* Keys that mean nothing to an action are a mistake: the reader thinks they do. */
static void read_action(const struct config_place *at, struct action *action)
{
    action->what = config_choice(at, "do", action_names, -1);
    config_only(at, action_keys[action->what]);
    action->path = config_path(at, "path", CONFIG_NEEDED);
    action->when = config_phase(at, "when", FLUX_PHASE_HOOKS);
    action->to = action->what == ACTION_RENAME ? config_path(at, "to", CONFIG_NEEDED) : NULL;
    action->text = action->what == ACTION_WRITE ? config_any_text(at, "text", CONFIG_NEEDED) : NULL;
    action->mode = read_mode(at);
    action->must_exist = config_flag(at, "must_exist", action_needs_file(action->what));
}

static int init(const char *json, void **ret_instance)
{
    struct config config;
    struct config_place top = config_open(&config, json);
    size_t count;
    struct file *file;

    config_only(&top, "actions");
    count = config_count(&top, "actions");
    if (count == 0 || count > ACTIONS_MOST) {
        config_wrong(&top, "actions", "must be a list of 1 to %d objects", ACTIONS_MOST);
        count = 0;
    }
    file = config_allocate(&config, sizeof(*file) + count * sizeof(file->actions[0]));
    for (size_t i = 0; file && i < count; i++) {
        struct config_place at = config_item(&top, "actions", i);

        read_action(&at, &file->actions[i]);
        file->count = i + 1;
    }
    return config_close(&config, file, ret_instance);
}

static void act(struct file *file, struct action *action)
{
    int error = action_do(action);

    action->done = true;
    if (error) {
        log_line(LOG_WARN, "%s %s: %s", action_names[action->what], action->path, strerror(error));
        file->first_error = file->first_error ? file->first_error : error;
    } else {
        log_line(LOG_DEBUG, "%s %s: done", action_names[action->what], action->path);
    }
}

static void act_in(struct file *file, int phase)
{
    for (size_t i = 0; i < file->count; i++) {
        struct action *action = &file->actions[i];

        if (!action->done && phase_is_due(action->when, phase)) {
            act(file, action);
        }
    }
}

/* What is set for the hooks phase waits for cleanup, which comes when its priority has its turn. */
static void event(void *instance, const struct flux_event *event)
{
    if (event->phase != FLUX_PHASE_HOOKS) {
        act_in(instance, (int)event->phase);
    }
}

static int cleanup(void *instance)
{
    struct file *file = instance;

    act_in(file, FLUX_PHASE_HOOKS);
    return file->first_error;
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = hook_name,
    .priority = FLUX_PRIORITY_FILE,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .event = event,
    .cleanup = cleanup,
};
