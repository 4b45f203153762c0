# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Programs that were exec'd belong to the family whose connections or listeners they are given.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export FLUX_RUN_DIR=$work/run
    export FLUX_CHECKPOINT=$work/state FLUX_HOOKS=$BUILD/tests/hooks/note.so HOOK_NOTES=$work/notes
}

teardown() {
    local pid

    while read -r _ pid; do
        [ "$(readlink "/proc/$pid/exe")" != "$FIXTURES/relatives" ] || kill -KILL "$pid" || :
    done < <(cat "$work"/server.*.out | grep -E '^worker [0-9]+$')
    fluxshim_teardown
}

KINDS=(gives-connections gives-listener leaves-listener)

start_relatives() { # KIND WORKERS
    rm -f "$FLUX_CHECKPOINT" "$HOOK_NOTES"
    start_fixture "${mode:-shimmed}" relatives "$@"
    [ "$1" != gives-listener ] || wait_for 10 all_listen "$2"
}

all_listen() {
    [ "$(grep -cx listens "$server_out")" -ge "$1" ]
}

ask() { # COUNT MS
    start_inflight --proto line --slow "$1" --send "slow $2 a line" --expect 'a line'
    wait_for 10 are_served "$1"
}

are_served() {
    [ "$(grep -c '^serving ' "$server_out")" -ge "$1" ]
}

roles() {
    checkpoint_value "$FLUX_CHECKPOINT" '[.members[].role] | sort | join(" ")'
}

workers_are_gone() {
    local pid

    for pid in $(sed -n 's/^worker //p' "$server_out"); do
        ! is_running "$pid" || return
    done
}

@test "requests in flight in them finish, hooks and checkpoint come once, and nothing is left behind" {
    local kind

    for kind in "${KINDS[@]}"; do
        start_relatives "$kind" 4
        ask 4 700
        expect_equal "files while it runs" "$(find "$FLUX_RUN_DIR" -type f -perm 600 | wc -l)" 1
        stop_and_wait
        await_client
        expect_equal "client of $kind: $client_last; status" "$client_status" 0
        expect_equal "exit status" "$exit_status" 7
        expect_equal "stderr" "$(<"$server_err")" ""
        expect_equal "runs of the hook" "$(wc -l <"$HOOK_NOTES")" 1
        expect_equal "roles" "$(roles)" "member member member member owner"
        expect_equal "drained" "$(checkpoint_value "$FLUX_CHECKPOINT" .connections.drained)" 4
        wait_for 2 workers_are_gone
        expect_equal "files left" "$(find "$FLUX_RUN_DIR" -type f)" ""
    done
}

@test "without the shim the same requests are lost" {
    local mode=bare

    start_relatives gives-connections 4
    ask 4 700
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 1
}

@test "no connection is lost under churn" {
    local kind i

    for kind in "${KINDS[@]}"; do
        for ((i = 0; i < ${FLUX_TEST_STOPS:-2}; i++)); do
            start_relatives "$kind" 2
            start_client churn --connect "$server_address" --proto line --send 'slow 0 a line' \
                --expect 'a line' --threads 4 --until-refused
            wait_for 10 has_worked
            stop_and_wait
            await_client
            expect_match "churn against $kind" "$client_last" '^ok [0-9]+ refused [0-9]+ lost 0 '
            expect_equal "exit status" "$exit_status" 7
            expect_equal "stderr" "$(<"$server_err")" ""
        done
    done
}

has_worked() {
    # shellcheck disable=SC2046 # one word a pid
    have_worked "$server_pid" $(sed -n 's/^worker //p' "$server_out")
}

@test "a signal from outside to one of them drains it alone; its master's is not held" {
    local victim

    start_relatives leaves-listener 1
    ask 1 700
    victim=$(sed -n 's/^worker //p' "$server_out")
    kill -TERM "$victim"
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    wait_for 5 workers_are_gone
    is_running "$server_pid"
    stop_and_wait
    expect_equal "exit status" "$exit_status" 7
}

# The folder ---------------------------------------------------------------------------------------

@test "the file is removed in mid-life: the family drains all the same" {
    start_relatives leaves-listener 2
    ask 2 700
    rm "$FLUX_RUN_DIR"/*
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "roles" "$(roles)" "member member owner"
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "what a killed server leaves in the folder is removed by the next one" {
    start_server shimmed single
    send_signal KILL
    await_exit
    expect_equal "files left" "$(find "$FLUX_RUN_DIR" -type f | wc -l)" 1
    start_server shimmed single
    expect_equal "files of two servers" "$(find "$FLUX_RUN_DIR" -type f | wc -l)" 1
    stop_and_wait
    expect_equal "files left" "$(find "$FLUX_RUN_DIR" -type f)" ""
}

@test "a server that exits by itself takes its file along" {
    start_program shimmed python3 -c 'import socket; socket.socket().listen()'
    await_exit
    expect_equal "exit status" "$exit_status" 0
    expect_equal "files left" "$(find "$FLUX_RUN_DIR" -type f)" ""
}

@test "a server that changes its folder still takes away a file of a relative name" {
    mkdir "$work/here"
    cd "$work/here"
    FLUX_RUN_DIR=run start_program shimmed python3 -c 'import os, socket; socket.socket().listen(); os.chdir("/")'
    await_exit
    expect_equal "exit status" "$exit_status" 0
    expect_equal "folder" "$(ls "$work/here")" run
    expect_equal "files left" "$(find "$work/here" -type f)" ""
}

# A worker finds no family there, drains alone, and dies of its master's signal as it would bare.
serves_without_name() { # WARNING
    start_fixture shimmed relatives leaves-listener 1
    ask 1 300
    await_client
    stop_and_wait
    expect_equal "exit status" "$exit_status" 7
    expect_match "stderr" "$(<"$server_err")" "$1"
}

@test "a folder that others can write to, that is none, or that can't be made: told, and it serves" {
    mkdir -m 777 "$work/open"
    FLUX_RUN_DIR=$work/open serves_without_name "warning: no file in $work/open \(others can write to it\)"
    expect_equal "files there" "$(find "$work/open" -type f)" ""
    touch "$work/file"
    FLUX_RUN_DIR=$work/file serves_without_name "warning: no file in $work/file \(Not a directory\)"
    FLUX_RUN_DIR=$work/a/b serves_without_name "warning: no file in $work/a/b \(No such file or directory\)"
    mkdir "$work/real"
    ln -s "$work/real" "$work/link"
    FLUX_RUN_DIR=$work/link serves_without_name "warning: no file in $work/link \("
}

@test "files that are no family's are neither believed nor waited for" {
    mkdir -m 755 "$FLUX_RUN_DIR"
    head -c 1000000 /dev/urandom >"$FLUX_RUN_DIR/1-0"
    : >"$FLUX_RUN_DIR/2-0"
    mkfifo "$FLUX_RUN_DIR/3-0"
    ln -s /etc/passwd "$FLUX_RUN_DIR/4-0"
    ln -s "$FLUX_RUN_DIR/5-0" "$FLUX_RUN_DIR/5-0"
    mkdir "$FLUX_RUN_DIR/6-0"
    touch "$FLUX_RUN_DIR/x" "$FLUX_RUN_DIR/$$-99999999999999999999999"
    start_relatives leaves-listener 2
    ask 2 500
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "roles" "$(roles)" "member member owner"
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "a family's file that others can write to is not joined" {
    start_relatives gives-connections 1
    chmod 666 "$FLUX_RUN_DIR"/*
    ask 1 300
    await_client
    stop_and_wait
    expect_equal "exit status" "$exit_status" 7
    expect_equal "members" "$(roles)" ""
}

@test "servers of different pid namespaces that share the folder leave each other's files alone" {
    local file

    unshare --pid --fork true || skip "new pid namespaces are not allowed here"
    start_server shimmed single
    file=$(find "$FLUX_RUN_DIR" -type f)
    unshare --pid --fork --mount-proc env LD_PRELOAD="$SHIM" python3 -c 'import socket; socket.socket().listen()' 3>&-
    expect_equal "files" "$(find "$FLUX_RUN_DIR" -type f)" "$file"
    stop_and_wait
    expect_equal "files left" "$(find "$FLUX_RUN_DIR" -type f)" ""
}
