# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# The hooks sqlite, postgres and redis, each against the real thing.

load lib/fluxshim
load lib/builtin_hooks

setup() {
    fluxshim_setup
    find_python
}

teardown() {
    end_postgres
    fluxshim_teardown
}

# SQLite ------------------------------------------------------------------------------------------

has_sqlite() {
    [ -e "$HOOKS/sqlite.so" ] || skip "built without libsqlite3"
}

# stop_database_server bare|shimmed: under load; leaves answered, and the database and its log.
stop_database_server() {
    rm -f "$work"/db*
    start_program "$1" "$python" "$BATS_TEST_DIRNAME/fixtures/sqlite_server.py" "$work/db"
    wait_until_ready
    start_client churn --connect "$server_address" --threads 2 --until-refused --any
    wait_for 10 log_has_grown
    stop_and_wait
    await_client
    expect_equal "exit status" "$exit_status" 143
    expect_match "client" "$client_last" '^ok [1-9][0-9]* '
    read -r _ answered _ _ _ lost _ <<<"$client_last"
}

log_has_grown() {
    [ -e "$work/db-wal" ] && [ "$(stat -c %s "$work/db-wal")" -gt 100000 ]
}

@test "sqlite: the log of a server that writes is written back, and no answered row is lost" {
    has_sqlite
    configure_hooks "{\"name\": \"sqlite\", \"config\": {\"path\": \"$work/db\"}}"
    stop_database_server bare
    expect_at_least "bare: bytes left in the log" "$(stat -c %s "$work/db-wal")" 100000
    stop_database_server shimmed
    [ ! -s "$work/db-wal" ]
    expect_equal "lost; $client_last" "$lost" 0
    expect_equal "rows" "$(hook_rows)" "sqlite ok 0"
    cp "$work/db" "$work/copy" # by itself, as a backup would
    expect_equal "rows" "$(sqlite3 "$work/copy" 'SELECT count(*) FROM answered')" "$answered"
    expect_equal "integrity" "$(sqlite3 "$work/copy" 'PRAGMA integrity_check')" ok
}

@test "sqlite: statements and optimize" {
    has_sqlite
    sqlite3 "$work/db" 'CREATE TABLE t (x); CREATE INDEX i ON t (x)'
    call_hook sqlite "{\"path\": \"$work/db\", \"optimize\": true, \"statements\":
        [\"PRAGMA analysis_limit = 0\", \"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
          WHERE i < 1000) INSERT INTO t SELECT i FROM n\", \"SELECT * FROM t WHERE x = 5\"]}" cleanup
    expect_equal "result; $hook_output" "$(result)" 0
    expect_equal "rows" "$(sqlite3 "$work/db" 'SELECT count(*) FROM t')" 1000
    expect_equal "optimize has looked at the index" \
        "$(sqlite3 "$work/db" "SELECT stat FROM sqlite_stat1 WHERE idx = 'i'")" "1000 1"
}

@test "sqlite: somebody who reads makes it busy, and that is told" {
    has_sqlite
    sqlite3 "$work/db" 'PRAGMA journal_mode = wal; CREATE TABLE t (x); INSERT INTO t VALUES (1)' \
        >"$work/out"
    start_program bare "$python" -c "import sqlite3, signal
database = sqlite3.connect('$work/db', isolation_level=None)
database.execute('INSERT INTO t VALUES (2)')
database.execute('BEGIN')
database.execute('SELECT * FROM t').fetchall()
print('ready', flush=True)
signal.pause()"
    wait_until_ready
    call_hook sqlite "{\"path\": \"$work/db\", \"busy_timeout\": \"200ms\",
        \"statements\": [\"INSERT INTO none VALUES (1)\", \"INSERT INTO t VALUES (3)\"]}" cleanup
    expect_match "statement" "$hook_output" \
        "log 1 sqlite: $work/db: INSERT INTO none VALUES \(1\): no such table: none"
    expect_match "checkpoint" "$hook_output" "log 1 sqlite: $work/db: checkpoint: database .* locked"
    expect_equal "the first failure counts" "$(result)" 1
    call_hook sqlite "{\"path\": \"$work/db\", \"busy_timeout\": \"200ms\"}" cleanup
    expect_equal "result, SQLITE_BUSY" "$(result)" 5
    call_hook sqlite "{\"path\": \"$work/db\", \"checkpoint\": \"passive\"}" cleanup
    expect_equal "result of a passive one" "$(result)" 0
    call_hook sqlite "{\"path\": \"$work/none\"}" cleanup
    expect_equal "result without a database, SQLITE_CANTOPEN" "$(result)" 14
    is_gone "$work/none"
}

# hook_call has it open, and not by the library.
@test "sqlite: a database that the server has open by a copy of its own is left alone" {
    has_sqlite
    sqlite3 "$work/db" 'CREATE TABLE t (x)'
    call_hook sqlite "{\"path\": \"$work/db\", \"statements\": [\"INSERT INTO t VALUES (1)\"]}" \
        cleanup 9<"$work/db"
    expect_equal "result, EBUSY" "$(result)" 16
    expect_match "log" "$hook_output" 'the server has it open with an SQLite of its own'
    expect_equal "rows" "$(sqlite3 "$work/db" 'SELECT count(*) FROM t')" 0
}

# PostgreSQL --------------------------------------------------------------------------------------

@test "postgres: statements when the server begins and when it stops" {
    start_postgres
    sql 'CREATE TABLE backends (name text, up boolean)'
    configure_hooks "{\"name\": \"postgres\", \"config\": {\"connection\": \"$connection\",
        \"restore\": [\"DELETE FROM backends\", \"INSERT INTO backends VALUES ('one', true)\"],
        \"shutdown\": [\"UPDATE backends SET up = false; SELECT pg_notify('x', 'y')\"]}}"
    start_server shimmed single
    expect_equal "while it serves" "$(sql 'SELECT * FROM backends')" "one|t"
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "afterwards" "$(sql 'SELECT * FROM backends')" "one|f"
    expect_equal "rows" "$(hook_rows)" "postgres ok 0"
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "postgres: what fails is told, keeps to the deadline, and never shows the password" {
    start_postgres
    call_hook postgres "{\"connection\": \"$connection\",
        \"shutdown\": [\"SELECT 1\", \"SELECT none\", \"CREATE TABLE never (x int)\"]}" cleanup
    expect_match "statement" "$hook_output" 'SELECT none: ERROR:  column "none" does not exist'
    expect_equal "result, EREMOTEIO" "$(result)" 121
    expect_equal "what comes after it" "$(sql "SELECT to_regclass('never')")" ""
    call_hook postgres "{\"connection\": \"$connection\", \"shutdown\": [\"COPY pg_class TO STDOUT\"]}" cleanup
    expect_equal "result of COPY" "$(result)" 121
    signal_us=${EPOCHREALTIME/[.,]/}
    call_hook postgres "{\"connection\": \"$connection\", \"timeout\": \"300ms\",
        \"shutdown\": [\"SELECT pg_sleep(60)\"]}" cleanup
    expect_equal "result, ETIMEDOUT" "$(result)" 110
    expect_at_most "ms" $(((${EPOCHREALTIME/[.,]/} - signal_us) / 1000)) 2000
    wait_for 5 nothing_sleeps
    call_hook postgres "{\"connection\": \"$connection dbname=none\", \"shutdown\": [\"SELECT 1\"]}" \
        cleanup
    expect_match "connection" "$hook_output" 'no connection: .* database "none" does not exist'
    expect_equal "result, ECONNREFUSED" "$(result)" 111
    call_hook postgres "{\"connection\": \"hots=x password='sEcReT\", \"shutdown\": [\"SELECT 1\"]}"
    expect_match "connection" "$hook_output" "config.connection isn't one that libpq takes"
    [[ $hook_output != *sEcReT* ]]
}

nothing_sleeps() {
    [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND state = 'active'")" = 0 ]
}

# It logs everybody in, doesn't know the setting, and answers nothing else. PQcancel() waited for its
# end of another connection for ever.
@test "postgres: a server that has stalled can't keep this one from serving" {
    [ -e "$HOOKS/postgres.so" ] || skip "built without libpq"
    start_program bare "$python" -c 'import socket, threading, struct
def serve(client):
    client.recv(1000)
    client.sendall(b"R\0\0\0\x08\0\0\0\0" + b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02" + b"Z\0\0\0\x05I")
    while text := client.recv(1000):
        if b"statement_timeout" in text:
            fields = b"SERROR\0C42704\0Munknown\0\0"
            client.sendall(b"E" + struct.pack("!i", 4 + len(fields)) + fields + b"Z\0\0\0\x05I")
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(f"listening tcp4 127.0.0.1:{listener.getsockname()[1]}\nready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()'
    wait_until_ready
    configure_hooks "{\"name\": \"postgres\", \"config\": {\"timeout\": \"300ms\", \"restore\": [\"SELECT 1\"],
        \"connection\": \"host=127.0.0.1 port=${server_address#tcp4:} dbname=x user=x sslmode=disable gssencmode=disable\"}}"
    start_server shimmed single
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows, ETIMEDOUT" "$(hook_rows)" "postgres failed 110"
    expect_match "log" "$(<"$server_err")" 'SELECT 1: Connection timed out'
    expect_equal "lines" "$(wc -l <"$server_err")" 2
}

# Redis -------------------------------------------------------------------------------------------

@test "redis: commands when the server begins and when it stops" {
    start_redis
    configure_hooks "{\"name\": \"redis\", \"config\": {\"port\": $redis_port,
        \"restore\": [[\"SADD\", \"backends\", \"one\"]],
        \"commands\": [[\"SREM\", \"backends\", \"one\"], [\"SET\", \"last words\", \"\\\"a b\\\"\\n\"]]}}"
    start_server shimmed single
    expect_equal "while it serves" "$(ask_redis SMEMBERS backends)" one
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "afterwards" "$(ask_redis SMEMBERS backends)" ""
    expect_equal "afterwards" "$(ask_redis GET 'last words')" '"a b"'
    expect_equal "rows" "$(hook_rows)" "redis ok 0"
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "redis: a password from a file, a socket, and errors by name" {
    start_redis --requirepass sEcReT
    call_hook redis "{\"socket\": \"$work/redis.sock\", \"commands\": [[\"SET\", \"a\", \"b\"]]}" cleanup
    expect_match "without it" "$hook_output" 'log 1 redis: SET: the server says: NOAUTH'
    expect_equal "result, EREMOTEIO" "$(result)" 121
    echo wrong >"$work/password"
    call_hook redis "{\"socket\": \"$work/redis.sock\", \"password_file\": \"$work/password\",
        \"commands\": [[\"SET\", \"a\", \"b\"]]}" cleanup
    expect_match "a wrong one" "$hook_output" 'log 1 redis: AUTH: the server says: WRONGPASS'
    echo sEcReT >"$work/password"
    call_hook redis "{\"socket\": \"$work/redis.sock\", \"password_file\": \"$work/password\",
        \"commands\": [[\"SET\", \"a\", \"b\"], [\"HGET\", \"a\", \"x\"], [\"RENAME\", \"a\", \"c\"]]}" cleanup
    expect_match "a wrong command" "$hook_output" 'log 1 redis: HGET: the server says: WRONGTYPE'
    expect_equal "result" "$(result)" 121
    expect_equal "the others ran" "$(ask_redis --no-auth-warning -a sEcReT GET c)" b
    [[ $hook_output != *sEcReT* ]]
    call_hook redis "{\"socket\": \"$work/redis.sock\", \"password_file\": \"$work/none\",
        \"commands\": [[\"PING\"]]}" cleanup
    expect_equal "no such file" "$(result)" 2
}

@test "redis: nobody there, and somebody who never answers" {
    [ -e "$HOOKS/redis.so" ] || skip "built without hiredis"
    call_hook redis "{\"port\": $(free_port), \"commands\": [[\"PING\"]]}" cleanup
    expect_equal "result, ECONNREFUSED" "$(result)" 111
    start_program bare "$python" -c 'import signal, socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
print(f"listening tcp4 127.0.0.1:{listener.getsockname()[1]}\nready", flush=True)
signal.pause()'
    wait_until_ready
    signal_us=${EPOCHREALTIME/[.,]/}
    call_hook redis "{\"port\": ${server_address#tcp4:}, \"timeout\": \"300ms\",
        \"commands\": [[\"PING\"], [\"PING\"], [\"PING\"]]}" cleanup
    expect_equal "result, ETIMEDOUT" "$(result)" 110
    expect_at_most "ms" $(((${EPOCHREALTIME/[.,]/} - signal_us) / 1000)) 1000
}
