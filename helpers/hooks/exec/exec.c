/* SPDX-License-Identifier: MIT */
/* Built-in hook: a command that runs in one phase of the shutdown. */
/* Context: init and RUNNING in the program's thread, the rest on the hook's own; blocks. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec/command.h"
#include "fluxshim.h"
#include "lib/config.h"
#include "lib/log.h"
#include "lib/phase.h"

const char hook_name[] = "exec";

#define TIMEOUT_MS 3000
#define LINES_MOST 200
#define LINE_MOST  200 /* bytes of output in one line of the log, before escapes */

struct exec {
    struct command command;
    const char *name; /* for messages: the file's, or the line of the shell */
    int when;
    bool done;
    int error; /* what cleanup returns */
};

/* ---- configuration ---- */

static void read_shell(const struct config_place *top, struct exec *exec)
{
    const char *line = config_text(top, "shell", CONFIG_NEEDED);
    const char **argv = config_allocate(top->config, 4 * sizeof(*argv));

    if (config_has(top, "argv")) {
        config_wrong(top, "shell", "and argv: only one of them");
    }
    if (argv) {
        argv[0] = "/bin/sh";
        argv[1] = "-c";
        argv[2] = line;
    }
    exec->command.argv = argv;
    exec->name = line;
}

static void read_argv(const struct config_place *top, struct exec *exec)
{
    size_t count;
    const char **argv = config_texts(top, "argv", &count);

    if (!argv || count == 0) {
        config_wrong(top, "argv", "must be a list of texts, or shell a text");
    } else if (argv[0][0] != '/') {
        config_wrong(top, "argv[0]", "must be an absolute path, not '%.60s'", argv[0]);
    }
    exec->command.argv = argv;
    exec->name = argv ? argv[0] : NULL;
}

/* Preloading and its settings are the server's: a command that is to have them is given them. */
static bool is_inherited(const char *pair, const char *const *own, size_t own_count)
{
    size_t n = strcspn(pair, "=") + 1;

    if (strncmp(pair, "LD_PRELOAD=", 11) == 0 || strncmp(pair, "FLUX_", 5) == 0) {
        return false;
    }
    for (size_t i = 0; i < own_count; i++) {
        if (strncmp(pair, own[i], n) == 0) {
            return false;
        }
    }
    return true;
}

/* Copied now: later the program's other threads may change it. */
static const char **build_environment(struct config *config, const char **own, size_t own_count,
                                      bool clear)
{
    size_t count = 0, n = 0;
    const char **envp;

    while (!clear && environ && environ[count]) {
        count++;
    }
    envp = config_allocate(config, (count + own_count + 1) * sizeof(*envp));
    for (size_t i = 0; envp && i < count; i++) {
        if (is_inherited(environ[i], own, own_count)) {
            envp[n++] = config_keep(config, environ[i]);
        }
    }
    for (size_t i = 0; envp && i < own_count; i++) {
        envp[n++] = own[i];
    }
    return envp;
}

static void read_config(const struct config_place *top, struct exec *exec)
{
    static const char *const outputs[] = {"log", "null", NULL};
    size_t count;
    const char **own = config_pairs(top, "env", &count);

    config_only(top, "argv shell env clear_env cwd when timeout output");
    if (config_has(top, "shell")) {
        read_shell(top, exec);
    } else {
        read_argv(top, exec);
    }
    exec->command.envp =
        build_environment(top->config, own, count, config_flag(top, "clear_env", false));
    exec->command.cwd = config_path(top, "cwd", "/");
    exec->command.timeout_ms = config_duration(top, "timeout", TIMEOUT_MS);
    exec->command.keeps_output = config_choice(top, "output", outputs, 0) == 0;
    exec->when = config_phase(top, "when", FLUX_PHASE_HOOKS);
}

static int init(const char *json, void **ret_instance)
{
    struct config config;
    struct config_place top = config_open(&config, json);
    struct exec *exec = config_allocate(&config, sizeof(*exec));

    command_prepare();
    if (exec) {
        read_config(&top, exec);
    }
    return config_close(&config, exec, ret_instance);
}

/* ---- running ---- */

/*
 * As vis(3) with VIS_OCTAL: whoever reads the log sees what the bytes are, not what a terminal makes
 * of them. UTF-8 stays. (libbsd's can't be linked into a shared object: it has symbol versions.)
 */
static void escape(char *shown, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte < ' ' || byte == 0x7f) {
            shown += sprintf(shown, "\\%03o", byte);
        } else {
            *shown++ = bytes[i];
        }
    }
    *shown = '\0';
}

static void log_output_line(int level, const char *line, size_t n)
{
    char shown[LINE_MOST * 4 + 1];

    n = n < LINE_MOST ? n : LINE_MOST;
    escape(shown, line, n);
    log_line(level, "| %.450s", shown);
}

static void log_output(int level, const struct command_result *result)
{
    const char *at = result->output, *end = at + result->output_length;
    size_t lost = result->output_lost;

    for (int i = 0; i < LINES_MOST && at < end; i++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;

        log_output_line(level, at, (size_t)(line_end - at));
        at = line_end + (newline != NULL);
    }
    lost += (size_t)(end - at);
    if (lost > 0) {
        log_line(level, "| ... %zu bytes more", lost);
    }
}

/* What cleanup returns for it: 0, the exit status, 128 + a signal's number, ETIMEDOUT. */
static int judge(const struct exec *exec, const struct command_result *result)
{
    int status = result->wait_status;

    if (result->timed_out) {
        log_line(LOG_WARN, "%.200s did not end within %lld ms and was ended", exec->name,
                 (long long)exec->command.timeout_ms);
        return ETIMEDOUT;
    }
    if (WIFSIGNALED(status)) {
        log_line(LOG_WARN, "%.200s died of signal %d", exec->name, WTERMSIG(status));
        return 128 + WTERMSIG(status);
    }
    if (WEXITSTATUS(status) != 0) {
        log_line(LOG_WARN, "%.200s exited with %d", exec->name, WEXITSTATUS(status));
    } else {
        log_line(LOG_DEBUG, "%.200s: done", exec->name);
    }
    return WEXITSTATUS(status);
}

static void run(struct exec *exec)
{
    struct command_result *result = malloc(sizeof(*result));
    int error = result ? command_run(&exec->command, result) : ENOMEM;

    exec->done = true;
    if (error) {
        log_line(LOG_WARN, "%.200s: %s", exec->name, strerror(error));
        exec->error = error;
    } else {
        exec->error = judge(exec, result);
        log_output(exec->error ? LOG_WARN : LOG_INFO, result);
    }
    free(result);
}

static void run_if_due(struct exec *exec, int phase)
{
    if (!exec->done && phase_is_due(exec->when, phase)) {
        run(exec);
    }
}

/* What is set for the hooks phase waits for cleanup, which comes when its priority has its turn. */
static void event(void *instance, const struct flux_event *event)
{
    if (event->phase != FLUX_PHASE_HOOKS) {
        run_if_due(instance, (int)event->phase);
    }
}

static int cleanup(void *instance)
{
    struct exec *exec = instance;

    run_if_due(exec, FLUX_PHASE_HOOKS);
    return exec->error;
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = hook_name,
    .priority = FLUX_PRIORITY_DEFAULT,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .event = event,
    .cleanup = cleanup,
};
