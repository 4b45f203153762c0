# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl check --live: a process that runs, and whether its table holds what the kernel has.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export FLUX_RUN_DIR=$work/run
    mkdir "$FLUX_RUN_DIR"
}

teardown() {
    fluxshim_teardown
}

# live PID: leaves ctl_status, ctl_out and ctl_err, and in $found what the JSON says.
live() {
    ctl_status=0
    "$BUILD/fluxctl" check --live "$1" >"$work/out" 2>"$work/err" 3>&- || ctl_status=$?
    ctl_out=$(<"$work/out") ctl_err=$(<"$work/err")
    found=$("$BUILD/fluxctl" check --json --live "$1" 2>/dev/null 3>&- | jq -r \
        '"loaded \(.loaded) disabled \(.disabled) armed \(.armed) open \(.connections.open) missed \(.connections.missed)"')
}

@test "an armed server whose table holds each connection" {
    for server in threaded epoll; do
        start_server shimmed "$server"
        start_inflight --slow 5 --path '/slow?ms=1500'
        live "$server_pid"
        expect_equal "$server" "$found" "loaded true disabled false armed true open 5 missed 0"
        expect_equal "status" "$ctl_status" 0
        stop_and_wait
        await_client
    done
}

@test "under churn nothing is taken for missed that is just coming or going" {
    start_server shimmed epoll
    start_client churn --connect "$server_address" --threads 4 --until-refused
    wait_for 10 have_worked "$server_pid"
    for _ in 1 2 3 4 5; do
        live "$server_pid"
        expect_match "$ctl_out" "$found" '^loaded true disabled false armed true open [0-9]+ missed 0$'
        expect_equal "status" "$ctl_status" 0
    done
    stop_and_wait
    await_client
}

@test "a connection that passed no wrapper is named" {
    start_program shimmed "$FIXTURES/unseen"
    wait_until_ready
    start_client inflight --connect "$server_address" --slow 1 --path /
    wait_for 5 file_has "$server_out" accepted
    live "$server_pid"
    expect_equal "what it finds" "$found" "loaded true disabled false armed true open 1 missed 1"
    expect_equal "status" "$ctl_status" 1
    expect_match "what it says" "$ctl_out" '1 of them not in its table'
    kill -KILL "$server_pid"
    await_client
}

@test "a process that isn't armed, and why" {
    start_server bare epoll
    live "$server_pid"
    expect_equal "bare" "$found" "loaded false disabled false armed false open null missed null"
    expect_equal "status" "$ctl_status" 1
    expect_match "what its file says" "$ctl_out" 'not loaded'
    FLUX_DISABLE=on start_server shimmed epoll
    live "$server_pid"
    expect_equal "disabled" "$found" "loaded true disabled true armed false open null missed null"
    start_program shimmed sleep 60
    wait_for 5 is_sleeping
    live "$server_pid"
    expect_equal "a sleeper" "$found" "loaded true disabled false armed false open null missed null"
    expect_match "what it says" "$ctl_out" 'does not serve'
}

is_sleeping() {
    [ "$(readlink "/proc/$server_pid/exe")" = "$(readlink -f "$(command -v sleep)")" ] &&
        grep -q libfluxshim "/proc/$server_pid/maps"
}

@test "what can't be asked for" {
    for arguments in "--live 0" "--live x" "--live 1 program" ""; do
        ctl_status=0
        # shellcheck disable=SC2086 # several words
        "$BUILD/fluxctl" check $arguments >/dev/null 2>&1 3>&- || ctl_status=$?
        expect_equal "check $arguments" "$ctl_status" 2
    done
    live 4194303
    expect_equal "nobody" "$ctl_status" 3
    [ "$(id -u)" = 0 ] || skip "acting as somebody else needs root"
    start_server shimmed epoll
    ctl_status=0
    setpriv --reuid=65534 --regid=65534 --clear-groups "$BUILD/fluxctl" check --live "$server_pid" \
        >/dev/null 2>&1 3>&- || ctl_status=$?
    expect_equal "somebody else's" "$ctl_status" 4
}
