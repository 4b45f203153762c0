/* SPDX-License-Identifier: MIT */
/* Calls one hook as the shim would, without the shim: for valgrind, sanitizers and small tests. */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fluxshim.h"

/*
 *   hook_call HOOK.so CONFIG [STEP]...
 *
 * CONFIG is JSON text. Each STEP is restore=JSON, a phase (running, lame_duck, ..; drain=3 with that
 * many connections left), cleanup or save. On stdout: a line for each call, `init 0`,
 * `event running`, `cleanup 5`, `save {"n":1}`, and `log LEVEL NAME: TEXT` for its own lines.
 * 0, or 1 if the hook can't be loaded or init fails.
 */

static const struct flux_hook *hook;
static void *instance;

/* As the shim has it: hooks look it up, and needn't say who they are. */
__attribute__((visibility("default"))) void flux_log(int level, const char *text)
{
    printf("log %d %s: %s\n", level, hook->name, text);
}

static const char *const phases[] = {"running", "lame_duck", "refuse",     "drain",
                                     "force",   "hooks",     "checkpoint", "release"};

static void send_event(uint32_t phase, uint64_t connections)
{
    const struct flux_event event = {.size = sizeof(event),
                                     .phase = phase,
                                     .connections_left = connections,
                                     .elapsed_ms = phase == FLUX_PHASE_RUNNING ? 0 : 100,
                                     .remaining_ms = 2000,
                                     .shutdown_ms = 30000};

    printf("event %s\n", phases[phase]);
    if (hook->event)
        hook->event(instance, &event);
}

static void save(void)
{
    char buffer[65536];
    int64_t n = hook->save ? hook->save(instance, buffer, sizeof(buffer)) : -1;

    printf("save %s\n", n < 0 ? "nothing" : n < (int64_t)sizeof(buffer) ? buffer : "too long");
}

static void restore(const char *state)
{
    printf("restore %d\n", hook->restore ? hook->restore(instance, state) : 0);
}

static void step(const char *name)
{
    size_t n = strcspn(name, "=");

    for (uint32_t phase = 0; phase < sizeof(phases) / sizeof(phases[0]); phase++)
        if (strlen(phases[phase]) == n && strncmp(phases[phase], name, n) == 0) {
            send_event(phase, name[n] == '=' ? strtoull(name + n + 1, NULL, 10) : 0);
            return;
        }
    if (strcmp(name, "cleanup") == 0)
        printf("cleanup %d\n", hook->cleanup ? hook->cleanup(instance) : 0);
    else if (strcmp(name, "save") == 0)
        save();
    else if (strncmp(name, "restore=", 8) == 0)
        restore(name + 8);
    else
        printf("there is no step '%s'\n", name);
}

int main(int argc, char **argv)
{
    void *handle = argc > 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!handle || !(hook = dlsym(handle, "flux_hook"))) {
        fprintf(stderr, "hook_call: %s\n", argc > 2 ? dlerror() : "HOOK.so CONFIG [STEP]...");
        return 1;
    }
    printf("hook %s %d %u\n", hook->name, hook->priority, hook->scope);
    int result = hook->init ? hook->init(argv[2], &instance) : 0;

    printf("init %d\n", result);
    for (int i = 3; i < argc && result == 0; i++)
        step(argv[i]);
    return result != 0;
}
