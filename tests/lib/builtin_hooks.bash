# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2154 # variables of lib/fluxshim, and results for the tests
# The built-in hooks: in a server under the shim, or called by hook_call.

HOOKS=$BUILD/fluxshim/hooks
WHEN_GONE=2000 # ms that an exit may take that waits for nothing

# configure_hooks ENTRY...: FLUX_CONFIG with these hooks, JSON objects, and a checkpoint.
configure_hooks() {
    local IFS=,

    printf '{"checkpoint": "%s", "hooks": [%s]}\n' "$work/state.json" "$*" >"$work/config.json"
    export FLUX_CONFIG=$work/config.json
}

# Rows of the checkpoint: name, status, result.
hook_rows() {
    checkpoint_value "$work/state.json" '.hooks[] | [.name, .status, .result] | join(" ")'
}

# call_hook NAME CONFIG STEP...: leaves hook_output (all lines) and hook_status.
call_hook() {
    local name=$1

    shift
    hook_status=0
    hook_output=$("${hook_wrapper[@]}" "${hook_tools:-$TOOLS}/hook_call" "${hook_folder:-$HOOKS}/$name.so" \
        "$@" 2>&1 3>&-) || hook_status=$?
}

# Of the last call_hook: what each cleanup returned.
result() {
    sed -n 's/^cleanup //p' <<<"$hook_output"
}

# The system's own python3 and not a script that stands before it and chooses one.
find_python() {
    python=$(python3 -c 'import sys; print(sys.executable)')
}

# exists PATH, is_gone PATH: for wait_for.
exists() {
    [ -e "$1" ]
}

is_gone() {
    [ ! -e "$1" ] && [ ! -L "$1" ]
}

# Servers for the hooks to work with --------------------------------------------------------------

as_postgres() {
    setpriv --reuid=postgres --regid=postgres --init-groups "$@"
}

# Leaves postgres_pid, postgres_port, and connection with a password in it.
start_postgres() {
    local programs=(/usr/lib/postgresql/*/bin)

    [ -e "$HOOKS/postgres.so" ] || skip "built without libpq"
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$work" 2>/dev/null || :
    postgres_port=$(free_port)
    mkdir -m 700 "$work/data"
    chown postgres: "$work/data"
    (cd / && as_postgres "${programs[-1]}/initdb" -D "$work/data" -A trust -N >/dev/null)
    start_program bare setpriv --reuid=postgres --regid=postgres --init-groups \
        "${programs[-1]}/postgres" -D "$work/data" -p "$postgres_port" -c fsync=off \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c log_min_messages=panic
    postgres_pid=$server_pid
    wait_for 20 postgres_answers
    connection="host=127.0.0.1 port=$postgres_port user=postgres dbname=postgres password=sEcReT"
}

postgres_answers() {
    [ "$(sql 'SELECT 1' 2>/dev/null)" = 1 ]
}

sql() {
    psql -h 127.0.0.1 -p "$postgres_port" -U postgres -Atc "$1" 3>&-
}

# Its workers end with it.
end_postgres() {
    [ -n "${postgres_pid:-}" ] || return 0
    kill -s QUIT "$postgres_pid" 2>/dev/null || return 0
    await_process "$postgres_pid" 10
}

# Leaves redis_port.
start_redis() { # ARGUMENT...
    [ -e "$HOOKS/redis.so" ] || skip "built without hiredis"
    redis_port=$(free_port)
    start_program bare redis-server --bind 127.0.0.1 --port "$redis_port" --save '' \
        --unixsocket "$work/redis.sock" --dir "$work" "$@"
    wait_for 10 exists "$work/redis.sock"
    wait_for 10 redis_answers
}

redis_answers() {
    [[ $(ask_redis PING 2>&1) == *@(PONG|NOAUTH)* ]]
}

ask_redis() {
    redis-cli -s "$work/redis.sock" "$@" 3>&-
}
