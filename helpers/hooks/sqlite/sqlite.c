/* SPDX-License-Identifier: MIT */
/* Built-in hook: leaves an SQLite database tidy: statements, optimize, and its log written back. */
/* Context: init in the program's thread, cleanup on the hook's own; blocks. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "fluxshim.h"
#include "lib/config.h"
#include "lib/log.h"
#include "sqlite/foreign.h"

const char hook_name[] = "sqlite";

#define BUSY_TIMEOUT_MS 2000

struct sqlite {
    const char *path;
    int checkpoint; /* SQLITE_CHECKPOINT_* */
    bool optimize;
    int busy_timeout_ms;
    const char **statements;
    size_t count;
};

static int init(const char *json, void **ret_instance)
{
    static const char *const checkpoints[] = {"passive", "full", "restart", "truncate", NULL};
    static const int values[] = {SQLITE_CHECKPOINT_PASSIVE, SQLITE_CHECKPOINT_FULL,
                                 SQLITE_CHECKPOINT_RESTART, SQLITE_CHECKPOINT_TRUNCATE};
    struct config config;
    struct config_place top = config_open(&config, json);
    struct sqlite *sqlite = config_allocate(&config, sizeof(*sqlite));

    if (!sqlite) {
        return config_close(&config, NULL, ret_instance);
    }
    config_only(&top, "path checkpoint optimize statements busy_timeout");
    sqlite->path = config_path(&top, "path", CONFIG_NEEDED);
    sqlite->checkpoint = values[config_choice(&top, "checkpoint", checkpoints, 3)];
    sqlite->optimize = config_flag(&top, "optimize", false);
    sqlite->busy_timeout_ms = (int)config_duration(&top, "busy_timeout", BUSY_TIMEOUT_MS);
    sqlite->statements = config_texts(&top, "statements", &sqlite->count);
    return config_close(&config, sqlite, ret_instance);
}

/* Keeps the first result code that isn't SQLITE_OK. */
static void note(const struct sqlite *sqlite, sqlite3 *db, const char *what, int code, int *first)
{
    if (code == SQLITE_OK) {
        return;
    }
    log_line(LOG_WARN, "%s: %.100s: %s", sqlite->path, what, sqlite3_errmsg(db));
    *first = *first == SQLITE_OK ? code : *first;
}

/* A connection that has read nothing doesn't know yet that there is a log, and does nothing. */
static void checkpoint(const struct sqlite *sqlite, sqlite3 *db, int *first)
{
    int pages = 0, done = 0;
    int code = sqlite3_exec(db, "PRAGMA schema_version", NULL, NULL, NULL);

    if (code == SQLITE_OK) {
        code = sqlite3_wal_checkpoint_v2(db, NULL, sqlite->checkpoint, &pages, &done);
    }
    note(sqlite, db, "checkpoint", code, first);
    if (code == SQLITE_OK && pages >= 0) { /* -1: it has no write-ahead log */
        log_line(LOG_DEBUG, "%s: %d of %d pages written back", sqlite->path, done, pages);
    }
}

static int tidy(const struct sqlite *sqlite, sqlite3 *db)
{
    int first = SQLITE_OK;

    sqlite3_busy_timeout(db, sqlite->busy_timeout_ms);
    for (size_t i = 0; i < sqlite->count; i++) {
        const char *text = sqlite->statements[i];

        note(sqlite, db, text, sqlite3_exec(db, text, NULL, NULL, NULL), &first);
    }
    if (sqlite->optimize) {
        note(sqlite, db, "optimize", sqlite3_exec(db, "PRAGMA optimize", NULL, NULL, NULL), &first);
    }
    checkpoint(sqlite, db, &first); /* last: it takes in what the others have written */
    return first;
}

/* What cleanup returns is SQLite's result code: 5 is SQLITE_BUSY. */
static int cleanup(void *instance)
{
    const struct sqlite *sqlite = instance;
    sqlite3 *db = NULL;
    int code;

    if (foreign_copy_has_open(sqlite->path)) {
        log_line(LOG_WARN,
                 "%s: the server has it open with an SQLite of its own, whose locks would be lost "
                 "(use the hook exec and sqlite3(1)): left alone",
                 sqlite->path);
        return EBUSY;
    }
    code = sqlite3_open_v2(sqlite->path, &db, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK) {
        code = tidy(sqlite, db);
    } else {
        log_line(LOG_WARN, "%s: %s", sqlite->path, db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
    }
    sqlite3_close(db);
    return code;
}

FLUX_EXPORT const struct flux_hook flux_hook = {
    .abi = FLUX_HOOK_ABI,
    .size = sizeof(struct flux_hook),
    .name = hook_name,
    .priority = FLUX_PRIORITY_DATABASE,
    .scope = FLUX_SCOPE_FAMILY,
    .init = init,
    .cleanup = cleanup,
};
