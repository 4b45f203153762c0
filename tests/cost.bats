# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# What a call and a drain may cost. Instructions are counted and not timed, so a busy machine changes nothing.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

# instructions BENCH libc|program ROUNDS: of a whole run of tests/bench/calls, armed.
instructions() {
    LD_PRELOAD=$SHIM valgrind --tool=callgrind --callgrind-out-file=/dev/null "$BUILD/tests/bench/calls" "$1" \
        --only "$2" --rounds "$3" 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}

# expect_instructions BENCH MOST: over libc's own, for each of a batch of 64; the lengths of two runs apart, so
# that the program's beginning doesn't count. (x86-64: other processors have other numbers.)
expect_instructions() {
    local own with

    [[ $(uname -m) == x86_64 ]] || skip "the numbers are those of x86-64"
    own=$(($(instructions "$1" libc 30) - $(instructions "$1" libc 10)))
    with=$(($(instructions "$1" program 30) - $(instructions "$1" program 10)))
    echo "# $1: $(((with - own) / 20 / 64)) instructions over libc's" >&3
    [ $(((with - own) / 20 / 64)) -le "$2" ]
}

@test "a read and a write of a connection take at most 56 instructions more than libc's" {
    expect_instructions connection 56 # 49, and a compiler's mood
}

@test "a recv and a send of a connection take at most 90 instructions more than libc's" {
    expect_instructions messages 90
}

@test "a read and a write of another descriptor take at most 24 instructions more than libc's" {
    expect_instructions file 24
}

@test "the close of a file takes at most 18 instructions more than libc's" {
    expect_instructions close 18
}

@test "an accept and a close of a connection take at most 105 instructions more than libc's" {
    expect_instructions accept 105
}

@test "a write that begins an HTTP/1 response takes at most 420 instructions more than libc's" {
    expect_instructions http 420
}

# What a sweep asks of each connection must not grow with their number: 5 s before, of a processor's time.
@test "5000 idle connections are gone within FLUX_IDLE and a second" {
    local began took

    start_server shimmed epoll --listen tcp4 # FLUX_IDLE is 500 ms
    start_client inflight --connect "$server_address" --idle 5000 --deadline 30
    wait_for 15 client_has_sent
    began=$(date +%s%N)
    stop_and_wait TERM
    took=$((($(date +%s%N) - began) / 1000000))
    await_client
    echo "# $took ms" >&3
    expect_match "client" "$client_last" 'idle eof 5000 of 5000'
    expect_equal "exit status" "$exit_status" 143
    [ "$took" -le 1500 ]
}

# Then the wrappers must not make its calls themselves.
@test "a server whose calls another library wraps as well drains like any" {
    preload_also=$BUILD/tests/bench/empty.so
    FLUX_IDLE=200ms start_server shimmed epoll --listen tcp4
    start_client inflight --connect "$server_address" --slow 2 --path '/slow?ms=500'
    wait_for 5 client_has_sent
    stop_and_wait TERM
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
}
