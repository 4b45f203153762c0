# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A connection is known by whatever descriptor it has, for as long as it is open and no longer.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

AT_ONCE=6 # they mostly wait

# connections FIELD: a count of the checkpoint.
connections() {
    checkpoint_value "$state" ".connections.$1"
}

# A connection that is taken for open when it is not holds the drain for FLUX_IDLE.
start_shimmed() {
    state=$work/state.$BASHPID
    FLUX_IDLE=5s FLUX_CHECKPOINT=$state start_fixture shimmed "$@"
}

# The server ended by the default action, and the one connection was drained and not forced.
expect_one_drained() {
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "connections at the signal" "$(connections at_signal)" 1
    expect_equal "drained" "$(connections drained)" 1
    expect_equal "forced" "$(connections forced)" 0
    expect_equal "stderr" "$(<"$server_err")" ""
}

# Copies ------------------------------------------------------------------------------------------

drains_copy() { # WAY: copied before the signal
    start_shimmed connection "$1"
    start_inflight --proto line --slow 1 --send 'slow 1000 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" "$1 done"
    stop_and_wait
    await_client
    expect_one_drained
}

drains_when_copied_late() { # WAY: copied in mid-drain
    start_shimmed connection "$1"
    start_inflight --proto line --slow 1 --send 'slow 1000 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" accepted
    stop_and_wait
    await_client
    expect_match "server" "$(<"$server_out")" "$1 done"
    expect_one_drained
}

COPIES=(dup dup2 dup3 dupfd dupfd-cloexec syscall-dup syscall-dup3 syscall-fcntl)

@test "a copy whose original is closed is drained" {
    printf '%s\n' "${COPIES[@]}" | in_parallel "$AT_ONCE" drains_copy
}

@test "a connection can be copied and its original closed in mid-drain" {
    printf '%s\n' "${COPIES[@]}" | in_parallel "$AT_ONCE" drains_when_copied_late
}

@test "descriptor 0 is a connection as any other" {
    drains_copy zero
}

# Children ----------------------------------------------------------------------------------------

expect_undisturbed() {
    expect_one_drained
    expect_match "mask and disposition after the child" "$(<"$server_out")" \
        "SIGTERM open, default"
}

undisturbed_by() {
    drains_copy "$1"
    expect_undisturbed
}

undisturbed_in_drain_by() {
    drains_when_copied_late "$1"
    expect_undisturbed
}

@test "a child that closes and replaces descriptors disturbs nothing of its parent's" {
    printf '%s\n' vfork spawn system fork | in_parallel "$AT_ONCE" undisturbed_by
}

@test "nor does one that is started in mid-drain" {
    printf '%s\n' vfork spawn system fork | in_parallel "$AT_ONCE" undisturbed_in_drain_by
}

@test "children see the masks and dispositions that they would see bare" {
    local what

    for what in open blocked ignored caught changing; do
        echo "$FIXTURES/child_signals $what"
    done | in_parallel "$AT_ONCE" same_as_bare
}

# Ends --------------------------------------------------------------------------------------------

# A second connection, behind the one that END has closed, shows that the number is free again.
is_forgotten_after() { # END
    start_shimmed connection none "$1"
    start_inflight --proto line --slow 1 --send 'slow 0 a line' --expect 'a line' --keep
    wait_for 5 file_has "$server_out" "$1"
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "connections accepted" "$(connections accepted)" 1
    expect_equal "connections at the signal" "$(connections at_signal)" 0
    expect_at_most "ms to the exit" "$exit_ms" 2000
}

# The end of the connection ends the drain.
ends_drain() { # END
    start_shimmed connection none "$1"
    start_inflight --proto line --slow 1 --send 'slow 1000 a line' --expect 'a line' --keep
    wait_for 5 file_has "$server_out" accepted
    stop_and_wait
    await_client
    expect_one_drained
    expect_at_most "ms to the exit" "$exit_ms" 3000
}

ENDS=(close close_range closefrom fclose freopen dup2 dup3
    syscall-close syscall-close_range syscall-dup3)

@test "a connection is forgotten however it is closed" {
    printf '%s\n' "${ENDS[@]}" | in_parallel "$AT_ONCE" is_forgotten_after
}

@test "the drain ends however its last connection is closed" {
    printf '%s\n' "${ENDS[@]}" | in_parallel "$AT_ONCE" ends_drain
}

# What is still in the stream's buffer is part of the answer.
flushes_to_slow_client() { # fclose|freopen
    start_shimmed stdio_close "$1"
    start_inflight --slow 1 --path '/big?bytes=4000000' --sip-ms 10
    wait_for 5 file_has "$server_out" closing
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_equal "exit status" "$exit_status" 143
    expect_equal "forced" "$(connections forced)" 0
    expect_match "server" "$(<"$server_out")" "closed"
}

@test "what fclose and freopen flush to a slow client is not cut" {
    printf '%s\n' fclose freopen | in_parallel 2 flushes_to_slow_client
}

# Listeners ---------------------------------------------------------------------------------------

drains_without_its_listener() { # HABIT
    start_shimmed habits "$1"
    start_inflight --proto line --slow 1 --send 'slow 1000 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" request
    stop_and_wait
    await_client
    expect_one_drained
}

@test "a connection whose listener is closed, or closed and another one open, is drained" {
    printf '%s\n' close-listener change-listener | in_parallel 2 drains_without_its_listener
}

# Both threads arm the process: neither may go on before the other's listener is known.
refuses_both_listeners() {
    start_shimmed habits listen-together
    wait_for 5 both_accept
    start_inflight --proto line --slow 1 --send 'slow 600 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" request
    send_signal TERM
    for address in "${server_addresses[@]}"; do
        wait_for 1 is_refused "$address"
    done
    await_exit
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "connections at the signal" "$(connections at_signal)" 1
    expect_equal "drained but for knocks in the queue" $(($(connections drained) - $(connections rescued))) 1
    expect_equal "forced" "$(connections forced)" 0
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_equal "listeners" "$(checkpoint_value "$state" '.listeners | length')" 2
}

both_accept() {
    [ "$(cat "/proc/$server_pid/task"/*/wchan | grep -o inet_csk_accept | wc -l)" = 2 ]
}

@test "two threads that call listen() at once: both listeners are known" {
    printf '\n%.0s' {1..20} | in_parallel 4 refuses_both_listeners
}

@test "a library that listens before the shim is ready" {
    start_program bare env LD_PRELOAD="$SHIM $BUILD/tests/hooks/listens_early.so" "$SERVERS/single"
    wait_until_ready
    start_inflight --slow 1 --path '/slow?ms=500'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
}

# Errors ------------------------------------------------------------------------------------------

@test "errors are the kernel's" {
    same_as_bare "$FIXTURES/error_codes"
}

@test "a program that has bound a socket and sends messages in wrong ways, then in a sandbox" {
    same_as_bare "$FIXTURES/binds"
}

@test "a thread with the smallest stack can listen" {
    FLUX_RUN_DIR=$work/run same_as_bare "$FIXTURES/small_stack"
}
