# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# What is in flight finishes, what is idle is closed soon, and nothing holds the server for long.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

AT_ONCE=6
SCHEDULING=50 # ms that a loaded machine may add to a time that the shim promises

# The server ended by the default action, and every slow request got its whole answer.
expect_clean_stop() {
    expect_equal "slow requests: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
}

# In flight ---------------------------------------------------------------------------------------

finishes_slow_requests() { # SERVER OPTION...
    start_server shimmed "$@"
    start_inflight --slow 8 --path '/slow?ms=700'
    stop_and_wait
    await_client
    expect_clean_stop
}

finishes_slow_lines() {
    start_server shimmed "$@" --proto line
    start_inflight --proto line --slow 8 --send 'slow 700 a line' --expect 'a line'
    stop_and_wait
    await_client
    expect_clean_stop
}

@test "slow requests finish" {
    in_parallel "$AT_ONCE" finishes_slow_requests <<'END'
threaded
epoll
poll
select
threaded --listen tcp6
epoll --listen tcp6
threaded --stdio
threaded --syscall-io
epoll --syscall-io
single --stdio
single --syscall-io
END
}

@test "slow requests finish over AF_UNIX" {
    in_parallel "$AT_ONCE" finishes_slow_requests <<END
threaded --listen unix:$work/1
epoll --listen unix:$work/2
poll --listen unix:$work/3
threaded --stdio --listen unix:$work/4
epoll --syscall-io --listen unix:$work/5
END
}

@test "slow lines finish" {
    in_parallel "$AT_ONCE" finishes_slow_lines <<END
threaded
epoll
epoll --eager-read
select
threaded --stdio
threaded --listen unix:$work/1
epoll --listen unix:$work/2
END
}

# 1 s is more than FLUX_IDLE; with the short one it is more than any quiet time.
survives_pauses() { # FLUX_IDLE MODE SERVER OPTION...
    export FLUX_IDLE=$1
    start_server shimmed "${@:3}"
    start_inflight --slow 2 --keep --path "/pause?ms=1000&parts=3&mode=$2"
    stop_and_wait
    await_client
    expect_clean_stop
}

@test "a response that pauses 1 s between its parts is not cut" {
    local idle mode server

    for idle in 500ms 50ms; do
        for mode in length chunked close; do
            for server in threaded epoll "epoll --watch-hangup"; do
                echo "$idle $mode $server"
            done
        done
    done | in_parallel 9 survives_pauses
}

finishes_big_response() { # SERVER OPTION...
    start_server shimmed "$@"
    start_inflight --slow 2 --path '/big?bytes=3000000' --sip-ms 20
    stop_and_wait
    await_client
    expect_clean_stop
}

@test "3 MB reach a slow reader" {
    in_parallel "$AT_ONCE" finishes_big_response <<END
threaded
epoll
epoll --watch-hangup
threaded --stdio
threaded --listen unix:$work/1
epoll --listen unix:$work/2
END
}

@test "the drain ends at once when the last connection ends" {
    local server client_end_us

    for server in threaded epoll; do
        FLUX_CHECKPOINT=$work/state.json start_server shimmed "$server"
        start_inflight --slow 1 --path '/slow?ms=600'
        send_signal TERM
        await_client
        read_clock
        client_end_us=$now_us
        await_exit
        read_clock
        expect_clean_stop
        note "$server: gone $(((now_us - client_end_us) / 1000)) ms after its last client"
        expect_at_most "ms from the client's end to the server's" \
            $(((now_us - client_end_us) / 1000)) "$SCHEDULING"
    done
}

# Idle --------------------------------------------------------------------------------------------

closes_idle() { # LIMIT_MS PROTOCOL SERVER OPTION...
    start_server shimmed "${@:3}" --proto "$2"
    start_inflight --proto "$2" --idle 8
    stop_and_wait
    await_client
    expect_clean_stop
    expect_match "clients" "$client_last" "idle eof 8 of 8"
    echo "$exit_ms ms: ${*:3}" >>"$work/figures"
    expect_at_most "ms to the exit" "$exit_ms" "$1"
}

@test "8 idle HTTP connections: exit within 300 ms" {
    in_parallel 2 closes_idle <<END
300 http threaded
300 http epoll
300 http poll
300 http select
300 http epoll --watch-hangup
300 http epoll --eager-read
300 http threaded --syscall-io
300 http epoll --syscall-io
300 http threaded --listen tcp6
300 http threaded --listen unix:$work/1
300 http epoll --listen unix:$work/2
END
    note "$(<"$work/figures")"
}

@test "8 idle connections, another protocol, read after write: exit within FLUX_IDLE + 200 ms" {
    in_parallel 2 closes_idle <<END
700 line threaded
700 line epoll --eager-read
700 line poll --eager-read
700 line threaded --syscall-io
700 line threaded --listen unix:$work/1
700 line epoll --eager-read --listen unix:$work/2
END
    note "$(<"$work/figures")"
}

@test "8 idle connections, another protocol, written only: exit within 3 x FLUX_IDLE + 200 ms" {
    in_parallel 2 closes_idle <<END
1700 line epoll
1700 line select
1700 line epoll --listen unix:$work/1
END
    note "$(<"$work/figures")"
}

@test "8 idle connections read and written by stdio: exit within 3 x FLUX_IDLE + 200 ms" {
    in_parallel 2 closes_idle <<END
1700 http threaded --stdio
1700 line threaded --stdio
END
    note "$(<"$work/figures")"
}

# No wrapper sees what stdio reads, and nobody but the timer can start the drain's thread.
@test "an idle connection of a single-threaded server in stdio: exit within 3 x FLUX_IDLE + 200 ms" {
    start_server shimmed single --stdio
    start_inflight --idle 1
    stop_and_wait
    await_client
    expect_clean_stop
    expect_match "clients" "$client_last" "idle eof 1 of 1"
    expect_at_most "ms to the exit" "$exit_ms" 1700
}

@test "a connection that both sides have finished and the program keeps holds nothing" {
    start_program shimmed "$FIXTURES/habits" keep-finished
    wait_until_ready
    start_inflight --proto line --slow 1 --send 'slow 0 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" kept
    await_client
    stop_and_wait
    expect_clean_stop
    expect_at_most "ms to the exit" "$exit_ms" 1700
}

@test "idle connections don't wait for those in flight" {
    start_server shimmed epoll
    start_inflight --idle 8 --slow 1 --path '/slow?ms=1500'
    stop_and_wait
    await_client
    expect_clean_stop
    local line
    for line in "${client_lines[@]}"; do
        [[ $line != "idle "[0-9]* ]] || expect_at_most "$line; ms" "${line##* }" 350
    done
}

# Deadlines ---------------------------------------------------------------------------------------

ends_stuck() { # SERVER OPTION...
    local state=$work/state.$BASHPID

    FLUX_DRAIN_TIMEOUT=1s FLUX_CHECKPOINT=$state start_server shimmed "$@"
    start_inflight --stuck 1
    stop_and_wait
    await_client
    expect_equal "exit status" "$exit_status" 143
    expect_at_least "ms to the exit" "$exit_ms" 990
    expect_at_most "ms to the exit" "$exit_ms" 1500
    expect_match "client" "$client_last" "stuck eof 1 of 1"
    expect_equal "forced" "$(checkpoint_value "$state" .connections.forced)" 1
    expect_equal "remaining" "$(checkpoint_value "$state" '.connections.remaining | length')" 1
    expect_match "stderr" "$(<"$server_err")" "1 connections? did not finish in time"
}

@test "one stuck connection: exit within FLUX_DRAIN_TIMEOUT + 500 ms, and told in the checkpoint" {
    in_parallel "$AT_ONCE" ends_stuck <<END
threaded
single
epoll
poll
select
threaded --stdio
epoll --syscall-io
threaded --listen tcp6
threaded --listen unix:$work/1
epoll --listen unix:$work/2
END
}

@test "a request that hangs: its neighbours finish, then the drain times out" {
    FLUX_DRAIN_TIMEOUT=1s start_server shimmed threaded
    start_inflight --slow 1 --path /hang --any --deadline 5
    local hanging_pid=$client_pid
    start_inflight --slow 2 --path '/slow?ms=500'
    stop_and_wait
    await_client
    expect_equal "slow requests: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 1500
    await_process "$hanging_pid" 6
    expect_equal "status of the client that hangs" "$process_status" 1
}

# Its requests follow each other without a pause on connections that stay open.
cannot_be_held_by_busy_client() { # PROTOCOL SERVER OPTION...
    FLUX_DRAIN_TIMEOUT=2s start_server shimmed "${@:2}" --proto "$1"
    start_client churn --connect "$server_address" --proto "$1" --threads 2 --requests 100000000 \
        --until-refused
    wait_for 5 server_has_worked
    stop_and_wait
    await_client
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 2500
    expect_match "client" "$client_last" "lost 0 timeout 0"
}

# 20 ms of CPU time.
server_has_worked() {
    stat_field "$server_pid" 14
    [ "$field" -ge 2 ]
}

@test "a busy keep-alive client can't hold the drain past its timeout" {
    in_parallel 2 cannot_be_held_by_busy_client <<'END'
http threaded
http epoll
line threaded
line epoll
END
}

@test "FLUX_SHUTDOWN_TIMEOUT ends a server that goes on after its signal" {
    # shellcheck disable=SC2016
    FLUX_SHUTDOWN_TIMEOUT=1s start_program shimmed perl -MSocket -e '
        $SIG{TERM} = sub { syswrite STDOUT, "got it\n" };
        socket my $listener, AF_INET, SOCK_STREAM, 0 or die;
        bind $listener, pack_sockaddr_in(0, INADDR_LOOPBACK) or die;
        listen $listener, 5 or die;
        syswrite STDOUT, "ready\n";
        accept my $connection, $listener while 1;'
    wait_for 5 file_has "$server_out" ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_at_least "ms to the exit" "$exit_ms" 990
    expect_at_most "ms to the exit" "$exit_ms" 1300
    expect_match "stdout" "$(<"$server_out")" "got it"
    expect_match "stderr" "$(<"$server_err")" "shutdown timeout"
}

# Lame duck ---------------------------------------------------------------------------------------

accepts_as_lame_duck() { # SERVER OPTION...
    FLUX_LAME_DUCK=700ms start_server shimmed "$@"
    start_inflight --slow 1 --path '/slow?ms=1500'
    send_signal TERM
    knock "$server_address"
    expect_equal "connect after the signal" "$knock_result" accepted
    "$TOOLS/inflight" --connect "$server_address" --slow 1 --path / 3>&-
    wait_for 5 is_refused
    read_clock
    expect_at_least "ms to the first refusal" $(((now_us - signal_us) / 1000)) 690
    expect_at_most "ms to the first refusal" $(((now_us - signal_us) / 1000)) 1000
    await_exit
    await_client
    expect_clean_stop
}

@test "FLUX_LAME_DUCK: accepts that long, then refuses" {
    in_parallel 2 accepts_as_lame_duck <<END
threaded
epoll
threaded --listen unix:$work/1
END
}
