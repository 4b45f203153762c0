# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# A server that ignores a signal goes on serving; one that blocks it isn't ended before its time.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

AT_ONCE=6

expect_serving() {
    start_inflight --slow 2 --path '/slow?ms=100'
    await_client
    expect_equal "requests: $client_last; status" "$client_status" 0
}

# Serves after each of the two signals, a moment later too, and can still be killed.
serves_on() { # STYLE SERVER OPTION...
    start_server shimmed "$2" --signal "$1" --readback "${@:3}"
    expect_serving
    start_inflight --slow 1 --path '/slow?ms=700'
    slow=$client_pid
    send_signal TERM
    expect_serving
    send_signal INT
    expect_serving
    await_process "$slow" 5
    expect_equal "status of the request in flight" "$process_status" 0
    expect_serving
    expect_equal "stderr" "$(<"$server_err")" ""
    stop_and_wait KILL
    expect_equal "exit status" "$exit_status" 137
}

@test "a server that ignores both signals serves on" {
    in_parallel "$AT_ONCE" serves_on <<'END'
ignore threaded
ignore single
ignore epoll
ignore poll
ignore select
sigignore threaded
sigignore epoll
ignore threaded --late
ignore epoll --late
sigignore poll --late
END
}

inherits_ignored() { # SERVER
    local server=$1

    start_program shimmed env --ignore-signal=TERM "$SERVERS/$server"
    wait_until_ready
    expect_serving
    send_signal TERM
    expect_serving
    stop_and_wait INT
    expect_equal "exit status" "$exit_status" 130
}

@test "a signal that was ignored when the server started stays ignored, the other one stops it" {
    in_parallel "$AT_ONCE" inherits_ignored <<'END'
threaded
epoll
END
}

takes_over_ignored() { # SERVER
    start_program shimmed env --ignore-signal=TERM "$SERVERS/$1" --signal siginfo
    wait_until_ready
    start_inflight --slow 1 --path '/slow?ms=300'
    stop_and_wait TERM
    await_client
    expect_equal "request in flight: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 7
}

@test "a handler installed over an inherited SIG_IGN is held as any other" {
    in_parallel "$AT_ONCE" takes_over_ignored <<'END'
threaded
epoll
END
}

# Bare, the signal would stay pending for ever.
waits_for_timeout() { # SIGNAL STATUS STYLE SERVER OPTION...
    export FLUX_SHUTDOWN_TIMEOUT=2s FLUX_HOOKS=$BUILD/my_hook.so MY_HOOK_FILE=$work/hook.$BASHPID
    start_server shimmed "$4" --signal "$3" "${@:5}"
    start_inflight --slow 1 --path '/slow?ms=300'
    stop_and_wait "$1"
    await_client
    expect_equal "request in flight: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" "$2"
    expect_at_least "ms to the exit" "$exit_ms" 1990
    expect_at_most "ms to the exit" "$exit_ms" 2500
    expect_match "stderr" "$(<"$server_err")" "shutdown timeout"
    expect_equal "lines of the hook" "$(wc -l <"$MY_HOOK_FILE")" 1
}

@test "a server that blocks its signal is ended at FLUX_SHUTDOWN_TIMEOUT, not before" {
    in_parallel "$AT_ONCE" waits_for_timeout <<'END'
TERM 143 blocked threaded
TERM 143 blocked single
TERM 143 blocked epoll
INT 130 blocked epoll
TERM 143 blocked poll --late
TERM 143 blocked select
TERM 143 sighold threaded
INT 130 sighold threaded --late
TERM 143 sighold poll
TERM 143 blocked threaded --late
END
}
