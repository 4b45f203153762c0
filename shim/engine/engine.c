/* SPDX-License-Identifier: MIT */
/* The engine's one exported symbol: what the shim may ask of it. */
/* Context: load runs in the arming thread; run is the coordinator's thread. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "engine/audience.h"
#include "engine/checkpoint.h"
#include "engine/config.h"
#include "engine/coordinator.h"
#include "engine/hook_list.h"
#include "engine/json.h"
#include "engine/publish.h"
#include "engine/shim.h"
#include "engine/state_files.h"

const struct bridge *shim;

int64_t shim_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct hook_entries
    configured; /* the array of FLUX_CONFIG, between load() and load_hooks() */

static void load_hooks(void)
{
    if (!configured.list) {
        (void)hooks_config_from_list(shim->settings->hooks, &configured);
    }
    (void)hook_list_load(&configured, checkpoint_before()->hooks, audience_ours());
    if (shim->settings->checkpoint[0] != '\0') {
        checkpoint_forget_before();
    }
    publish_generation();
    hooks_config_free(&configured);
}

/* The file's own settings can name a checkpoint and hooks. */
static bool wants_json(const struct settings *settings)
{
    return settings->config[0] != '\0' || settings->checkpoint[0] != '\0' ||
           settings->hooks[0] != '\0';
}

/* Everything that can go wrong with the settings is told here, at the start and not at the end. */
static int load(const struct bridge *bridge)
{
    if (bridge->abi != BRIDGE_ABI || bridge->size != sizeof(struct bridge)) {
        return -EPROTO;
    }
    shim = bridge;
    if (wants_json(bridge->settings) && !json_open()) {
        return -ELIBACC;
    }
    (void)config_load(shim->settings, &configured);
    if (shim->settings->checkpoint[0] != '\0') {
        (void)checkpoint_prepare(shim->settings->checkpoint);
        state_files_prepare(shim->settings->state_files, checkpoint_before()->state_files);
    }
    coordinator_init();
    return 0;
}

__attribute__((visibility("default"))) extern const struct engine flux_engine;

const struct engine flux_engine = {
    .abi = BRIDGE_ABI,
    .size = sizeof(struct engine),
    .load = load,
    .load_hooks = load_hooks,
    .run = coordinator_run,
};
