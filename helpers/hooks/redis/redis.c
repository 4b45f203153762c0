/* SPDX-License-Identifier: MIT */
/* Built-in hook: commands for a redis server, when this one begins to serve and when it stops. */
/* Context: init and RUNNING in the program's thread, cleanup on the hook's own; blocks. */
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fluxshim.h"
#include "lib/config.h"
#include "lib/log.h"
#include "redis/connection.h"

const char hook_name[] = "redis";

#define PORT          6379
#define TIMEOUT_MS    2000
#define COMMAND_MOST  1000
#define PASSWORD_MOST 512

struct command_line {
    const char **words;
    size_t count;
};

struct commands {
    struct command_line *lines;
    size_t count;
};

struct redis {
    const char *host;
    const char *socket_path; /* or NULL */
    int port;
    const char *password_file; /* or NULL */
    int64_t timeout_ms;
    struct commands commands, restore;
    int error; /* of the restore commands; cleanup returns it */
};

/* ---- configuration ---- */

static void read_commands(const struct config_place *top, const char *key,
                          struct commands *commands)
{
    size_t count = config_count(top, key);

    if (count > COMMAND_MOST) {
        config_wrong(top, key, "has more than %d commands", COMMAND_MOST);
        return;
    }
    commands->lines = config_allocate(top->config, count * sizeof(*commands->lines));
    for (size_t i = 0; commands->lines && i < count; i++) {
        commands->lines[i].words = config_texts_at(top, key, i, &commands->lines[i].count);
        commands->count += commands->lines[i].words != NULL;
    }
}

static int init(const char *json, void **ret_instance)
{
    struct config config;
    struct config_place top = config_open(&config, json);
    struct redis *redis = config_allocate(&config, sizeof(*redis));

    if (!redis) {
        return config_close(&config, NULL, ret_instance);
    }
    config_only(&top, "host port socket password_file commands restore timeout");
    redis->host = config_text(&top, "host", "127.0.0.1");
    redis->port = (int)config_number(&top, "port", 1, 65535, PORT);
    redis->socket_path = config_path(&top, "socket", NULL);
    redis->password_file = config_path(&top, "password_file", NULL);
    redis->timeout_ms = config_duration(&top, "timeout", TIMEOUT_MS);
    read_commands(&top, "commands", &redis->commands);
    read_commands(&top, "restore", &redis->restore);
    if (redis->commands.count + redis->restore.count == 0) {
        config_wrong(&top, "commands", "is missing, and so is restore: there is nothing to do");
    }
    return config_close(&config, redis, ret_instance);
}

/* ---- commands ---- */

/* 0 or an errno value. `what` may be shown: it is never a password. */
static int ask(struct connection *connection, const char *what, const char *const *words,
               size_t count)
{
    struct redisReply *reply = NULL;
    int error = -connection_ask(connection, words, count, &reply);

    if (error) {
        log_line(LOG_WARN, "%.60s: %s", what, strerror(error));
        return error;
    }
    if (reply->type == REDIS_REPLY_ERROR) {
        log_line(LOG_WARN, "%.60s: the server says: %.300s", what, reply->str);
        error = EREMOTEIO;
    }
    freeReplyObject(reply);
    return error;
}

/* The first line of the file, read anew each time: it may have changed. */
static int read_password(const char *path, char *password, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), error;
    ssize_t n = fd < 0 ? -1 : read(fd, password, size - 1);

    error = n < 0 ? errno : 0;
    if (fd >= 0) {
        close(fd);
    }
    if (!error) {
        password[n] = '\0';
        password[strcspn(password, "\r\n")] = '\0';
    }
    return error;
}

static int log_in(const struct redis *redis, struct connection *connection)
{
    char password[PASSWORD_MOST];
    const char *words[] = {"AUTH", password};
    int error;

    if (!redis->password_file) {
        return 0;
    }
    error = read_password(redis->password_file, password, sizeof(password));
    if (error) {
        log_line(LOG_WARN, "%s: %s", redis->password_file, strerror(error));
        return error;
    }
    error = ask(connection, "AUTH", words, 2);
    explicit_bzero(password, sizeof(password));
    return error;
}

/* One that is refused doesn't stop the others; a connection that fails does. */
static int ask_all(struct connection *connection, const struct commands *commands)
{
    int first = 0, error = 0;

    for (size_t i = 0; i < commands->count && (error == 0 || error == EREMOTEIO); i++) {
        const struct command_line *line = &commands->lines[i];

        error = ask(connection, line->words[0], line->words, line->count);
        first = first ? first : error;
    }
    return first;
}

static int run(const struct redis *redis, const struct commands *commands)
{
    struct connection connection;
    int error;

    if (commands->count == 0) {
        return 0;
    }
    error = -connection_open(&connection, redis->socket_path, redis->host, redis->port,
                             redis->timeout_ms);
    if (error) {
        log_line(LOG_WARN, "no connection to %.200s: %s",
                 redis->socket_path ? redis->socket_path : redis->host, strerror(error));
        return error;
    }
    error = log_in(redis, &connection);
    error = error ? error : ask_all(&connection, commands);
    connection_close(&connection);
    return error;
}

static void event(void *instance, const struct flux_event *event)
{
    struct redis *redis = instance;

    if (event->phase == FLUX_PHASE_RUNNING) {
        redis->error = run(redis, &redis->restore);
    }
}

static int cleanup(void *instance)
{
    const struct redis *redis = instance;
    int error = run(redis, &redis->commands);

    return redis->error ? redis->error : error;
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = hook_name,
    .priority = FLUX_PRIORITY_DATABASE,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .event = event,
    .cleanup = cleanup,
};
