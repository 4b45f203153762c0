# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# A server that ends by itself runs hook and checkpoint too, once, and keeps its exit status.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export FLUX_HOOKS=$BUILD/my_hook.so MY_HOOK_FILE=$work/hook FLUX_CHECKPOINT=$work/state.json
}

teardown() {
    fluxshim_teardown
}

# A server that takes one connection and its request, and then does what the code says.
start_serving_once() { # bare|shimmed PERL_CODE
    # shellcheck disable=SC2016
    start_program "$1" perl -MSocket -MPOSIX=_exit -e '
        socket my $listener, AF_INET, SOCK_STREAM, 0 or die;
        bind $listener, pack_sockaddr_in(0, INADDR_LOOPBACK) or die;
        listen $listener, 5 or die;
        my ($port) = unpack_sockaddr_in getsockname $listener;
        syswrite STDOUT, "listening tcp4 127.0.0.1:$port\nready\n";
        accept my $connection, $listener or die;
        sysread $connection, my $request, 4096;
        '"$2"
    wait_until_ready
}

# The server answers nothing: the client only makes it go on.
ask_once() {
    start_client inflight --connect "$server_address" --slow 1 --path /
}

ends_by_itself() { # STATUS PERL_CODE
    start_serving_once shimmed "$2"
    send_signal CONT # which does nothing, but starts the clock
    ask_once
    await_exit
    expect_equal "exit status" "$exit_status" "$1"
    expect_at_most "ms to the exit" "$exit_ms" 1000
    expect_equal "stderr" "$(<"$server_err")" ""
}

expect_hook_and_checkpoint() { # REASON EXIT_STATUS
    expect_equal "lines of the hook" "$(wc -l <"$MY_HOOK_FILE")" 1
    expect_equal "reason" "$(checkpoint_value "$FLUX_CHECKPOINT" .reason)" "$1"
    expect_equal "exit status in the checkpoint" \
        "$(checkpoint_value "$FLUX_CHECKPOINT" .exit_status)" "$2"
}

expect_neither() {
    expect_equal "files of hook and checkpoint" "$(ls hook state.json 2>/dev/null)" ""
}

@test "exit() runs hook and checkpoint" {
    ends_by_itself 3 'exit 3;'
    expect_hook_and_checkpoint exit 3
}

@test "_exit() runs hook and checkpoint" {
    ends_by_itself 4 '_exit 4;'
    expect_hook_and_checkpoint exit 4
}

@test "the end of main runs hook and checkpoint" {
    ends_by_itself 0 ''
    expect_hook_and_checkpoint exit 0
}

@test "FLUX_ON_EXIT=off: neither hook nor checkpoint" {
    FLUX_ON_EXIT=off ends_by_itself 3 'exit 3;'
    expect_neither
    FLUX_ON_EXIT=off ends_by_itself 4 '_exit 4;'
    expect_neither
}

@test "FLUX_ON_EXIT=off: a signal still runs both" {
    FLUX_ON_EXIT=off start_server shimmed epoll
    stop_and_wait TERM
    expect_equal "exit status" "$exit_status" 143
    expect_hook_and_checkpoint signal null
}

@test "the exit of a forked child runs neither" {
    # shellcheck disable=SC2016
    ends_by_itself 3 '
        for (1 .. 3) { my $pid = fork; if (!$pid) { exit 5 if $_ & 1; _exit 6 } waitpid $pid, 0 }
        syswrite STDOUT, "hook in a child\n" if -e $ENV{MY_HOOK_FILE};
        exit 3;'
    expect_equal "told by the server" "$(grep hook "$server_out")" ""
    expect_hook_and_checkpoint exit 3
}

# Its handler calls exit() after the release.
ends_once() { # STYLE SERVER
    export MY_HOOK_FILE=$work/hook.$BASHPID FLUX_CHECKPOINT=$work/state.$BASHPID
    start_server shimmed "$2" --signal "$1"
    stop_and_wait TERM
    expect_equal "exit status" "$exit_status" 7
    expect_hook_and_checkpoint signal null
}

@test "an exit after the signal was released runs nothing a second time" {
    in_parallel 4 ends_once <<'END'
sigaction threaded
restart threaded
sigaction epoll
sigwait threaded
signalfd epoll
sysv single
END
}

# The server leaves before it has seen the signal. It must not close the connection before that: the
# drain would be over, and the signal come first.
exits_in_drain() { # STATUS PERL_CODE
    start_serving_once shimmed "
        POSIX::dup(fileno \$connection); select undef, undef, undef, 0.5;
        $2"
    ask_once
    wait_for 5 request_is_taken
    stop_and_wait TERM
    expect_equal "exit status" "$exit_status" "$1"
    expect_at_least "ms to the exit" "$exit_ms" 200
    expect_at_most "ms to the exit" "$exit_ms" 1000
    expect_equal "lines of the hook" "$(wc -l <"$MY_HOOK_FILE")" 1
    expect_equal "signal" "$(checkpoint_value "$FLUX_CHECKPOINT" .signal.number)" 15
    expect_equal "stderr" "$(<"$server_err")" ""
}

# It waits for its time to pass: nothing is left to read on its side.
request_is_taken() {
    [[ $(<"/proc/$server_pid/wchan") == *hrtimer* || $(<"/proc/$server_pid/wchan") == *select* ||
        $(<"/proc/$server_pid/wchan") == *poll* ]]
}

@test "exit() during a drain waits for hook and checkpoint" {
    exits_in_drain 3 'exit 3;'
}

@test "_exit() during a drain waits for hook and checkpoint" {
    exits_in_drain 4 '_exit 4;'
}

@test "a program that never listens runs neither" {
    start_program shimmed perl -e 'exit 3'
    await_exit
    expect_equal "exit status" "$exit_status" 3
    expect_neither
}

@test "_exit() from a handler that has interrupted malloc ends the program within a second" {
    start_program shimmed "$FIXTURES/exit_in_malloc"
    send_signal CONT # which does nothing, but starts the clock
    await_exit 5
    expect_equal "exit status" "$exit_status" 3
    expect_at_most "ms to the exit" "$exit_ms" 1500
}

@test "the return of the last thread ends a program whose main thread has left" {
    start_program shimmed "$FIXTURES/habits" leave-main
    wait_until_ready
    start_client inflight --connect "$server_address" --proto line --slow 1 \
        --send 'slow 600 a line' --expect 'a line'
    wait_for 5 file_has "$server_out" request
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 0
    expect_at_most "ms to the exit" "$exit_ms" 1500
    expect_hook_and_checkpoint signal null
}
