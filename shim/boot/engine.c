/* SPDX-License-Identifier: MIT */
/* Finds and opens engine.so, which lies in fluxshim/ beside this object. */
/* Context: arming; may allocate and block. */
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "boot/boot.h"
#include "sigsafe/log.h"

/* The absolute path of the mapping that holds `address`: the folder may have been left since. */
static bool path_from_maps(const void *address, char *ret_path)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[PATH_MAX + 128];
    bool found = false;

    while (maps && !found && fgets(line, sizeof(line), maps)) {
        uintptr_t from, to;
        int at = 0;

        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &from, &to, &at) == 2 && at > 0 &&
            (uintptr_t)address >= from && (uintptr_t)address < to && line[at] == '/') {
            line[strcspn(line, "\n")] = '\0';
            found = snprintf(ret_path, PATH_MAX, "%s", line + at) < PATH_MAX;
        }
    }
    if (maps) {
        (void)fclose(maps);
    }
    return found;
}

static bool own_path(char *ret_path)
{
    Dl_info info;

    if (dladdr(&life_gate, &info) == 0) {
        return false;
    }
    if (info.dli_fname[0] == '/' || !path_from_maps((const void *)own_path, ret_path)) {
        return snprintf(ret_path, PATH_MAX, "%s", info.dli_fname) < PATH_MAX;
    }
    return true;
}

static bool engine_path(char *ret_path)
{
    if (!own_path(ret_path)) {
        return false;
    }
    char *slash = strrchr(ret_path, '/');
    size_t folder = slash ? (size_t)(slash + 1 - ret_path) : 0;

    return snprintf(ret_path + folder, PATH_MAX - folder, "fluxshim/engine.so") <
           (int)(PATH_MAX - folder);
}

static const struct engine *checked(const struct engine *engine)
{
    if (engine && engine->abi == BRIDGE_ABI && engine->size == sizeof(struct engine)) {
        return engine;
    }
    log_error("engine.so is of another version than libfluxshim.so: running without fluxshim");
    return NULL;
}

const struct engine *engine_open(void)
{
    static const struct engine *engine; /* kept: a child that arms inherits it */
    char path[PATH_MAX];

    if (engine) {
        return engine;
    }
    void *object = engine_path(path) ? dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;

    if (!object) {
        log_error("can't load the engine: %s: running without fluxshim", dlerror());
        return NULL;
    }
    engine = checked(dlsym(object, "flux_engine"));
    return engine;
}
