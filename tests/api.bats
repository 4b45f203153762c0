# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# What a program may ask of the shim: to stop, its phase, to be told of each, a line in the log.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export FLUX_CHECKPOINT=$work/state.json
}

teardown() {
    fluxshim_teardown
}

# Lines of the fixture's output that begin so.
said() {
    grep "^$1" "$server_out"
}

# asks KIND: the request that makes it ask is answered in the drain, and the handler ends it.
asks() {
    start_fixture shimmed asks "$1"
    start_inflight --proto line --slow 1 --send 'a request' --expect 'a line'
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    await_exit
    expect_equal "exit status" "$exit_status" 7
    expect_equal "reason" "$(checkpoint_value "$FLUX_CHECKPOINT" .reason)" demand
    expect_equal "forced" "$(checkpoint_value "$FLUX_CHECKPOINT" .connections.forced)" 0
}

@test "flux_trigger: a stop from inside, and the program gets an ordinary signal from itself" {
    for kind in trigger thread; do
        asks "$kind"
        expect_equal "before it listens" "$(said before)" "before: trigger -107, phase 0"
        expect_equal "flux_trigger" "$(said trigger)" "trigger 0"
        expect_equal "a second time" "$(said again)" "again -114"
        expect_equal "signal" "$(said signal)" "signal code 0 from itself, phase 7"
        expect_equal "sender" "$(checkpoint_value "$FLUX_CHECKPOINT" .signal.sender.pid)" "$server_pid"
    done
}

@test "flux_trigger in a child of the owner stops the family" {
    asks child
    expect_equal "flux_trigger" "$(said trigger)" "trigger 0"
    expect_equal "signal" "$(said signal)" "signal code 0 from another, phase 7"
}

@test "flux_phase says where the stop is" {
    asks trigger
    expect_equal "in the drain" "$(said phase)" "phase 3"
}

@test "flux_subscribe: every phase, in order; what was taken back and what is nothing: none" {
    asks trigger
    expect_equal "results" "$(said subscribe)" "subscribe 0, nothing -22"
    expect_equal "of what isn't there" "$(said unsubscribe)" "unsubscribe -2"
    expect_equal "events" "$(said first | uniq | paste -sd ' ')" \
        "first event 1 first event 2 first event 3 first event 5 first event 6 first event 7"
    expect_equal "of the one taken back" "$(said gone || :)" ""
}

@test "a subscriber that crashes or hangs costs only itself" {
    asks crash
    expect_equal "events of the other" "$(said first | uniq | wc -l)" 6
    expect_match "stderr" "$(<"$server_err")" 'warning: a subscriber crashed: SIGSEGV in event'
    asks hang
    expect_equal "events of the other" "$(said first | uniq | wc -l)" 6
}

@test "the drain is told of again each second, with what is left" {
    FLUX_HOOKS=$BUILD/tests/hooks/counts.so HOOK_NOTES=$work/notes start_server shimmed threaded
    start_inflight --slow 2 --path '/slow?ms=2500'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_at_least "events of the drain" "$(grep -c '^3 2 ' "$work/notes")" 3
    expect_equal "what is left of the drain and of all, in seconds" \
        "$(grep -m 1 '^3 2 ' "$work/notes")" "3 2 29 59"
}

@test "flux_log: a line of the program in the log" {
    asks trigger
    expect_match "stderr" "$(<"$server_err")" '^fluxshim\[[0-9]+\]: warning: a line of the program$'
}

@test "a program that looks for the functions finds none without the shim" {
    run_to_end bare "$FIXTURES/asks" trigger
    expect_equal "output" "$run_output" absent
    expect_equal "exit status" "$exit_status" 3
}

@test "the header compiles alone, as C99 and as C++" {
    echo '#include "fluxshim.h"' >alone.c
    cp alone.c alone.cc
    "${CC:-cc}" -std=c99 -pedantic -Wall -Wextra -Werror -I"$BATS_TEST_DIRNAME/../shim" -c alone.c
    "${CXX:-c++}" -std=c++98 -pedantic -Wall -Wextra -Werror -Wno-long-long \
        -I"$BATS_TEST_DIRNAME/../shim" -c alone.cc
}
