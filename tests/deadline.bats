# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# The tests' own deadlines: what outlives its own is told, ended and reported as such.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

@test "a server that outlives its deadline is ended" {
    local told

    start_server bare epoll --signal blocked
    send_signal TERM
    await_exit 1 >"$work/told"
    told=$(<"$work/told")
    expect_equal "exit status" "$exit_status" alive
    expect_at_least "ms to the exit" "$exit_ms" 990
    expect_match "told" "$told" "process $server_pid is still there .*epoll"
    wait_for 5 has_gone "$server_pid"
}

has_gone() {
    ! is_running "$1"
}

@test "a condition that never comes fails at its deadline" {
    if wait_for 1 false >"$work/told"; then
        echo "wait_for succeeded"
        return 1
    fi
    expect_equal "told" "$(<"$work/told")" "not within 1 s: false"
}

fails_for_odd() {
    [ $(($1 % 2)) = 0 ] || { echo "odd: $1" && return 1; }
}

@test "in_parallel tells which of its jobs failed" {
    local status=0

    in_parallel 2 fails_for_odd <<<$'2\n4\n5\n6' >"$work/told" &
    wait "$!" || status=$?
    expect_equal "status" "$status" 1
    expect_match "told" "$(<"$work/told")" $'--- fails_for_odd 5:\nodd: 5\n'
    in_parallel 3 fails_for_odd <<<$'2\n4'
}
