# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# However a server asks for its signals: after the drain it gets them, and ends, as it would bare.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

LOOPS=(epoll poll select)
ALL=(threaded single "${LOOPS[@]}")
AT_ONCE=10

# What a run left: exit_status, and what account prints.
stop_by() { # bare|shimmed SIGNAL STYLE SERVER OPTION...
    start_server "$1" "$4" --signal "$3" --readback --count-eintr "${@:5}"
    start_inflight --slow 2 --path '/slow?ms=300'
    wait_for 5 first_request_is_read
    stop_and_wait "$2" 10
    await_client
}

first_request_is_read() {
    [[ $(<"$server_out") == *"at=request sig=2 "* ]]
}

# All that the server told: what it sees of its dispositions and masks, the signal with its siginfo,
# the number of EINTR
# (0 in both). The sender is this shell, and another one in each run.
account() {
    local text

    text=$(grep -v '^listening ' "$server_out")
    echo "${text//" pid $BASHPID "/" pid SENDER "}"
}

same_as_bare() { # SIGNAL STYLE SERVER OPTION...
    local bare_status bare_account

    stop_by bare "$@"
    bare_status=$exit_status
    bare_account=$(account)
    stop_by shimmed "$@"
    expect_equal "slow requests: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" "$bare_status"
    expect_equal "account" "$(account)" "$bare_account"
    expect_equal "stderr" "$(<"$server_err")" ""
}

# in_servers STYLE SERVER...: in each, by both signals.
in_servers() {
    local style=$1 server

    for server in "${@:2}"; do
        echo "TERM $style $server"
        echo "INT $style $server"
    done | in_parallel "$AT_ONCE" same_as_bare
}

@test "default action" {
    in_servers default "${ALL[@]}"
}

@test "signal()" {
    in_servers signal "${ALL[@]}"
}

@test "bsd_signal()" {
    in_servers bsd "${ALL[@]}"
}

@test "sysv_signal()" {
    in_servers sysv "${ALL[@]}"
}

@test "sigset()" {
    in_servers sigset "${ALL[@]}"
}

@test "siginterrupt() after signal()" {
    in_servers siginterrupt "${ALL[@]}"
}

@test "sigaction()" {
    in_servers sigaction "${ALL[@]}"
}

@test "sigaction() with SA_SIGINFO" {
    in_servers siginfo "${ALL[@]}"
}

@test "sigaction() with SA_RESTART" {
    in_servers restart "${ALL[@]}"
}

@test "sigaction() with SA_RESETHAND" {
    in_servers resethand "${ALL[@]}"
}

@test "sigaction() with SA_NODEFER" {
    in_servers nodefer "${ALL[@]}"
}

@test "a handler that raises the signal again" {
    in_servers reraise "${ALL[@]}"
}

@test "a handler installed after listen()" {
    in_servers late "${ALL[@]}"
}

@test "a handler installed by a thread" {
    in_servers thread "${ALL[@]}"
}

@test "a handler changed at the first request" {
    in_servers change "${ALL[@]}"
}

@test "a thread in sigwait()" {
    in_servers sigwait "${ALL[@]}"
}

@test "a thread in sigwaitinfo()" {
    in_servers sigwaitinfo "${ALL[@]}"
}

@test "sigtimedwait(), by a thread or polled" {
    in_servers sigtimedwait "${ALL[@]}"
}

@test "a signalfd in the loop" {
    in_servers signalfd threaded "${LOOPS[@]}"
}

@test "a thread that reads a signalfd" {
    in_servers signalfd-block "${ALL[@]}"
}

@test "a self-pipe" {
    in_servers selfpipe threaded "${LOOPS[@]}"
}

@test "ppoll() with a mask" {
    in_servers ppoll threaded poll
}

@test "pselect() with a mask" {
    in_servers pselect select
}

@test "epoll_pwait() with a mask" {
    in_servers epoll-pwait epoll
}

@test "sigsuspend() in the main thread" {
    in_servers sigsuspend threaded
}

@test "pause() in the main thread" {
    in_servers pause threaded
}

@test "every style installed after listen()" {
    in_parallel "$AT_ONCE" same_as_bare <<'END'
TERM sysv epoll --late
TERM siginfo single --late
TERM sigwait epoll --late
TERM sigwait threaded --late
TERM sigwaitinfo poll --late
TERM signalfd epoll --late
TERM signalfd threaded --late
TERM signalfd-block single --late
TERM ppoll poll --late
TERM selfpipe select --late
END
}

@test "threads that block the signals, and several that accept" {
    in_parallel "$AT_ONCE" same_as_bare <<'END'
TERM default threaded --mask-workers
TERM siginfo threaded --mask-workers
TERM restart threaded --mask-workers
INT signalfd threaded --mask-workers
TERM default threaded --acceptors 3
TERM siginfo threaded --acceptors 3
INT sigwait threaded --acceptors 3
INT sigsuspend threaded --acceptors 3 --mask-workers
END
}

# Programs of tests/fixtures, with one line in flight.
drains_and_ends() { # STATUS HABIT
    start_fixture shimmed habits "$2"
    start_inflight --proto line --slow 1 --send 'slow 400 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" request
    if [ "$2" = reap-in-handler ]; then
        wait_for 5 file_has "$server_out" reaped
    fi
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" "$1"
    expect_at_most "ms to the exit" "$exit_ms" 1000
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "a handler of the program that waits while the program waits" {
    drains_and_ends 143 reap-in-handler
}

# Who takes the signal is a race: the signalfd's reader must not be in it.
@test "a fork beside a signalfd in a threaded program" {
    for _ in {1..20}; do
        echo 7 fork-beside-signalfd
    done | in_parallel 5 drains_and_ends
}
