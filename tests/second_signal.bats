# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# A second signal ends the drain at once; hooks, checkpoint and the server's own end follow as ever.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

AT_ONCE=4

has_lasted() { # MS
    read_clock
    [ $(((now_us - signal_us) / 1000)) -ge "$1" ]
}

with_hook_and_checkpoint() {
    export FLUX_HOOKS=$BUILD/my_hook.so MY_HOOK_FILE=$work/hook.$BASHPID
    export FLUX_CHECKPOINT=$work/state.$BASHPID
}

expect_hook_and_checkpoint() {
    expect_equal "lines of the hook" "$(wc -l <"$MY_HOOK_FILE")" 1
    expect_equal "reason" "$(checkpoint_value "$FLUX_CHECKPOINT" .reason)" signal
    expect_equal "second signal" "$(checkpoint_value "$FLUX_CHECKPOINT" .second_signal)" true
}

# The status is that of the first signal, which is the one that was held.
ends_at_once() { # FIRST SECOND STATUS STYLE SERVER OPTION...
    with_hook_and_checkpoint
    start_server shimmed "$5" --signal "$4" "${@:6}"
    start_inflight --slow 2 --path '/slow?ms=8000'
    send_signal "$1"
    wait_for 5 has_lasted 300
    stop_and_wait "$2"
    await_client
    expect_equal "exit status" "$exit_status" "$3"
    expect_at_most "ms from the second signal to the exit" "$exit_ms" 500
    expect_match "clients" "${client_lines[*]}" "slow 0 cut .* slow 1 cut .*slow ok 0 of 2"
    expect_hook_and_checkpoint
    expect_equal "forced" "$(checkpoint_value "$FLUX_CHECKPOINT" .connections.forced)" 2
}

@test "a second signal ends the drain at once" {
    in_parallel "$AT_ONCE" ends_at_once <<END
TERM TERM 143 default threaded
INT INT 130 default threaded
TERM TERM 143 default epoll
INT INT 130 default epoll
TERM INT 143 default threaded
INT TERM 130 default epoll
TERM TERM 143 default poll
TERM TERM 143 default select
TERM TERM 7 siginfo threaded
TERM TERM 7 siginfo epoll
TERM INT 7 restart threaded
TERM TERM 7 sigwait threaded
TERM TERM 7 sigwait epoll
TERM TERM 7 signalfd epoll
TERM TERM 7 signalfd-block poll
TERM TERM 7 sigtimedwait select
TERM TERM 7 selfpipe poll
TERM TERM 7 ppoll poll
TERM TERM 7 sigsuspend threaded
TERM TERM 143 default threaded --listen unix:$work/1
TERM TERM 143 default epoll --listen unix:$work/2
END
}

# `single` is inside a request: nobody accepts what waits in the queue.
@test "a second signal ends a drain that has a queue" {
    with_hook_and_checkpoint
    start_server shimmed single
    start_inflight --slow 4 --path '/slow?ms=8000'
    send_signal TERM
    wait_for 5 has_lasted 300
    stop_and_wait TERM
    await_client
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms from the second signal to the exit" "$exit_ms" 500
    expect_hook_and_checkpoint
}

@test "a second signal ends the lame duck" {
    with_hook_and_checkpoint
    FLUX_LAME_DUCK=20s start_server shimmed threaded
    start_inflight --slow 1 --path '/slow?ms=8000'
    send_signal TERM
    wait_for 5 has_lasted 300
    stop_and_wait TERM
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms from the second signal to the exit" "$exit_ms" 500
    expect_hook_and_checkpoint
}

# timeout(1) signals its child, then its group: who is in both has it twice, and that is one stop.
takes_as_one() { # SERVER
    start_server shimmed "$1"
    start_inflight --slow 2 --path '/slow?ms=700'
    kill -s TERM "$server_pid" "$server_pid"
    await_exit
    await_client
    expect_equal "slow requests: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
}

@test "the same signal twice in a row is one stop" {
    in_parallel 1 takes_as_one <<'END'
threaded
single
epoll
poll
select
END
}
