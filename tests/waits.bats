# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Calls that block return once, on time and with what they would return bare, also when a signal is
# held in the meantime.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export FLUX_IDLE=20s # the fixture's own connection isn't closed during the test
}

teardown() {
    fluxshim_teardown
}

AT_ONCE=10 # they only wait

# Time that a call takes if nothing interrupts it.
duration_of() {
    case $1 in
    read | read_of_pipe | syscall_read) echo 600 ;;
    *) echo 1000 ;;
    esac
}

CALLS=(sleep usleep nanosleep clock_nanosleep clock_nanosleep_until poll ppoll select pselect
    epoll_wait epoll_pwait2 read read_of_pipe recv_waitall recvmsg_waitall
    pause sigsuspend sigtimedwait sigwait waitpid waitid stdio syscall_nanosleep syscall_poll
    syscall_epoll_wait syscall_read syscall_futex)

# waits_as CALL MS EXPECTED SIGNAL...: a loaded machine may delay a call, but not each time; one that
# waits twice is late each time.
waits_as() {
    local _

    for _ in 1 2 3; do
        run_to_end shimmed "$FIXTURES/waits" "$1" "$2" "${@:4}"
        expect_equal "exit status" "$exit_status" 0
        [ "$run_output" != "$3" ] || return 0
    done
    expect_equal "$1 with signals ${*:4}" "$run_output" "$3"
}

# What the call returns, without its time.
returns_bare() { # CALL MS SIGNAL...
    run_to_end bare "$FIXTURES/waits" "$@"
    bare_output=${run_output%%$'\n'*}
}

undisturbed() { # CALL
    local bare_output ms

    ms=$(duration_of "$1")
    returns_bare "$1" "$ms"
    waits_as "$1" "$ms" "$bare_output" 15
}

@test "a held SIGTERM disturbs no call" {
    printf '%s\n' "${CALLS[@]}" | in_parallel "$AT_ONCE" undisturbed
}

# Nobody knows when a read began: its SO_RCVTIMEO starts afresh, and only once.
@test "a socket's own timeout ends a call at most once too late" {
    local call late

    for call in read_with_timeout accept; do
        run_to_end shimmed "$FIXTURES/waits" "$call" 1000 15
        expect_equal "$call" "${run_output%%$'\n'*}" "$call: -1 EAGAIN"
        late=$(sed -n 's/^late by \(.*\) ms$/\1/p' <<<"$run_output")
        expect_at_most "ms too late" "${late:-0}" 900
    done
}

# The program's own handler interrupts as it would bare, before the drain and in it.
interrupted() { # CALL
    local bare_output ms=400 later_ms=500

    [ "$1" != sigwait ] || ms=1000 later_ms=1000 # blind to handlers
    returns_bare "$1" "$ms" 10
    waits_as "$1" "$ms" "$bare_output" 10
    waits_as "$1" "$later_ms" "$bare_output" 15 10
}

@test "another signal of the program interrupts a call as it would bare" {
    printf '%s\n' "${CALLS[@]}" | in_parallel "$AT_ONCE" interrupted
}

sends_all() { # CALL [thread]
    run_to_end shimmed "$FIXTURES/blocking_send" "$@" 15
    # The reader's line can come too late: the server ends as soon as the connection has.
    expect_equal "output" "$(grep -v '^reader: 8388608, then the end$' <<<"$run_output")" \
        "$1: 8388608 of 8388608"
    expect_equal "exit status" "$exit_status" 143
}

@test "a blocking send of 8 MB is not cut short by a held SIGTERM" {
    local call

    for call in send write writev sendmsg sendfile; do
        printf '%s\n' "$call" "$call thread"
    done | in_parallel "$AT_ONCE" sends_all
}

# The second signal ends the drain and forces the connection: its end is seen, and once.
@test "a blocking send returns when a second SIGTERM forces its connection" {
    run_to_end shimmed "$FIXTURES/blocking_send" send 15 15
    expect_equal "exit status" "$exit_status" 143
}

@test "a thread can be cancelled in each call that is a cancellation point" {
    local line

    run_to_end shimmed "$FIXTURES/cancel"
    expect_equal "lines" "$(wc -l <<<"$run_output")" 23
    while read -r line; do
        expect_match "call" "$line" ': cancelled$'
    done <<<"$run_output"
    same_as_bare "$FIXTURES/cancel"
}

@test "listen() is no cancellation point, arming included" {
    same_as_bare "$FIXTURES/cancel_listen"
}

# Where a server sits ------------------------------------------------------------------------------

# No wrapper marks the last four: the timer finds out after some ticks.
SEATS=(accept read readv recv recvfrom recvmsg poll ppoll select pselect epoll_wait epoll_pwait
    sleep clock_nanosleep thrd_sleep pause sigsuspend sigwait waitpid msgrcv semop
    stdio flock sem_wait mq_receive)

ends_at_once() { # CALL
    start_program shimmed "$FIXTURES/sits" "$1"
    wait_for 5 sits_down
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "output" "$(<"$server_out")" ready
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_at_most "ms to the exit" "$exit_ms" 400
}

sits_down() {
    stat_field "$server_pid" 3
    file_has "$server_out" ready && [ "$field" = S ]
}

@test "a server without connections ends at once, whatever call it sits in" {
    printf '%s\n' "${SEATS[@]}" | in_parallel 4 ends_at_once
}

# held_in NAME: the signal comes while it waits, and then a connection.
held_in() {
    FLUX_LAME_DUCK=20s start_fixture shimmed errno_kept "$1"
    wait_for 5 is_waiting
    send_signal TERM
    wait_for 5 is_held
    knock "$server_address"
    await_exit
    expect_equal "what it says" "$(tail -n 1 "$server_out")" "$1 1 ENOTTY"
}

is_waiting() {
    grep -q '^State:.S' "/proc/$server_pid/status"
}

is_held() {
    grep -qs fluxshim "/proc/$server_pid/task"/*/comm
}

@test "a wait that was interrupted by the shim alone leaves errno alone when it succeeds" {
    local name

    for name in poll ppoll select pselect epoll_wait epoll_pwait; do
        held_in "$name"
    done
}
