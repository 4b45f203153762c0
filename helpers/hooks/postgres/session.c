/* SPDX-License-Identifier: MIT */
/* Libpq's asynchronous calls, with poll in between. */
/* Context: any thread; blocks until the deadline at most. */
#include "postgres/session.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/log.h"

#define SERVER_LATER_MS 200

bool session_is_connection(const char *connection)
{
    PQconninfoOption *options = PQconninfoParse(connection, NULL);

    PQconninfoFree(options);
    return options != NULL;
}

/* The server's own words, up to the end of the first line. */
static void tell(const char *what, const char *message)
{
    log_line(LOG_WARN, "%.100s: %.*s", what, (int)strcspn(message, "\n"), message);
}

static int connect_within(PGconn *link, int64_t deadline)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    int error = 0;

    while (state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED && error == 0) {
        error = -clock_poll(PQsocket(link), state == PGRES_POLLING_READING ? POLLIN : POLLOUT,
                            deadline);
        state = error ? state : PQconnectPoll(link);
    }
    if (error) {
        tell("no connection", strerror(error));
        return error;
    }
    if (state == PGRES_POLLING_FAILED) {
        tell("no connection", PQerrorMessage(link));
        return ECONNREFUSED;
    }
    return 0;
}

static int flush_within(PGconn *link, int64_t deadline)
{
    int more, error = 0;

    while ((more = PQflush(link)) == 1 && error == 0) {
        error = -clock_poll(PQsocket(link), POLLOUT, deadline);
    }
    return more < 0 ? EIO : error;
}

/* Until the next result can be taken without blocking. */
static int result_within(PGconn *link, int64_t deadline)
{
    int error = 0;

    while (error == 0 && PQisBusy(link)) {
        error = -clock_poll(PQsocket(link), POLLIN, deadline);
        if (error == 0 && !PQconsumeInput(link)) {
            error = EIO;
        }
    }
    return error;
}

static bool is_copy(ExecStatusType status)
{
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* `statement` is NULL where a failure isn't worth a line. */
static int is_failure(PGresult *result, const char *statement)
{
    ExecStatusType status = PQresultStatus(result);
    int failed = status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || is_copy(status);

    if (failed && statement) {
        const char *message = PQresultErrorMessage(result);

        tell(statement, *message ? message : "COPY isn't possible here");
    }
    return failed;
}

static int take_results(PGconn *link, const char *statement, int64_t deadline)
{
    PGresult *result;
    int error, failed = 0;

    while ((error = result_within(link, deadline)) == 0 && (result = PQgetResult(link))) {
        bool copies = is_copy(PQresultStatus(result));

        failed |= is_failure(result, statement);
        PQclear(result);
        if (copies) {
            break; /* it would give the same for ever */
        }
    }
    return error ? error : failed ? EREMOTEIO : 0;
}

static int send_and_take(PGconn *link, const char *statement, const char *shown, int64_t deadline)
{
    int error = PQsendQuery(link, statement) ? flush_within(link, deadline) : EIO;

    return error ? error : take_results(link, shown, deadline);
}

/*
 * The server goes on with a statement whose client is gone: it is to end it by itself, a little later
 * than we do. (PQcancel(3) asks over another connection, for whose end it waits without a bound: a
 * server that had stalled never let this one begin to serve.) What isn't PostgreSQL, a pooler's console
 * say, may not know the setting.
 */
static int limit_statement(PGconn *link, int64_t deadline)
{
    char statement[64];
    int error;

    snprintf(statement, sizeof(statement), "SET statement_timeout = %lld",
             (long long)clock_left(deadline) + SERVER_LATER_MS);
    error = send_and_take(link, statement, NULL, deadline);
    return error == EREMOTEIO ? 0 : error;
}

static int execute(PGconn *link, const char *statement, int64_t deadline)
{
    int error = limit_statement(link, deadline);

    error = error ? error : send_and_take(link, statement, statement, deadline);
    if (error && error != EREMOTEIO) {
        tell(statement, strerror(error));
    } else if (!error) {
        log_line(LOG_DEBUG, "%.100s: done", statement);
    }
    return error;
}

/* What the server has to remark is nothing for the program's stderr. */
static void ignore_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

/* What the connection string says comes last and counts. */
static PGconn *begin_connect(const char *connection)
{
    static const char *const keywords[] = {"fallback_application_name", "dbname", NULL};
    const char *values[] = {"fluxshim", connection, NULL};

    return PQconnectStartParams(keywords, values, 1);
}

int session_run(const char *connection, const char *const *statements, size_t count,
                int64_t timeout_ms)
{
    int64_t deadline = clock_after(timeout_ms);
    PGconn *link = count > 0 ? begin_connect(connection) : NULL;
    int error;

    if (count == 0 || !link) {
        return count == 0 ? 0 : ENOMEM;
    }
    if (PQstatus(link) == CONNECTION_BAD) {
        tell("no connection", PQerrorMessage(link));
        error = ECONNREFUSED;
    } else {
        PQsetNoticeReceiver(link, ignore_notice, NULL);
        error = connect_within(link, deadline);
        PQsetnonblocking(link, 1);
    }
    for (size_t i = 0; i < count && !error; i++) {
        error = execute(link, statements[i], deadline);
    }
    PQfinish(link);
    return error;
}
