# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# Under clients that connect as fast as they can no connection is lost, stop after stop.

# FLUX_TEST_STOPS is the number of stops of each server; the same number is done bare, for the
# figures beside.

load lib/fluxshim

setup() {
    fluxshim_setup
    stops=${FLUX_TEST_STOPS:-6}
}

teardown() {
    fluxshim_teardown
}

# 10 ms of CPU time: the clients are at full speed.
server_is_busy() {
    stat_field "$server_pid" 14
    [ "${field:-1}" -ge 1 ]
}

# Adds to ok, refused and lost.
stop_under_churn() { # bare|shimmed STATUS SERVER OPTION...
    local line

    start_server "$1" "${@:3}"
    start_client churn --connect "$server_address" --threads 4 --until-refused --after-ms 50
    wait_for 10 server_is_busy
    stop_and_wait TERM
    await_client
    expect_equal "exit status" "$exit_status" "$2"
    expect_match "clients" "$client_last" '^ok [0-9]+ refused [0-9]+ lost [0-9]+ timeout 0 '
    read -ra line <<<"$client_last"
    ok=$((ok + line[1])) refused=$((refused + line[3])) lost=$((lost + line[5]))
    [ "$1" = bare ] || [ "${line[5]}" = 0 ] || show_client
}

stop_all() { # bare|shimmed STATUS SERVER OPTION...
    local i

    ok=0 refused=0 lost=0
    for ((i = 0; i < stops; i++)); do
        stop_under_churn "$@"
    done
    note "$1: $stops stops, $ok answered, $refused refused, $lost lost"
}

loses_nothing() { # STATUS SERVER OPTION...
    stop_all bare "$@"
    stop_all shimmed "$@"
    expect_equal "lost in $stops stops" "$lost" 0
    expect_at_least "answered" "$ok" "$stops"
}

@test "threaded, tcp4" {
    loses_nothing 143 threaded --listen tcp4
}

@test "threaded, unix" {
    loses_nothing 143 threaded --listen "unix:$work/socket"
}

@test "epoll, tcp4" {
    loses_nothing 143 epoll --listen tcp4
}

@test "epoll, unix" {
    loses_nothing 143 epoll --listen "unix:$work/socket"
}

@test "poll, tcp4" {
    loses_nothing 143 poll --listen tcp4
}

@test "poll, unix" {
    loses_nothing 143 poll --listen "unix:$work/socket"
}

@test "epoll with a signalfd, tcp4" {
    loses_nothing 7 epoll --signal signalfd --listen tcp4
}

@test "epoll with a signalfd, unix" {
    loses_nothing 7 epoll --signal signalfd --listen "unix:$work/socket"
}

@test "threaded with sigwait(), tcp4" {
    loses_nothing 7 threaded --signal sigwait --listen tcp4
}

@test "threaded with sigwait(), unix" {
    loses_nothing 7 threaded --signal sigwait --listen "unix:$work/socket"
}
