# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# During a drain a single-threaded program can still do what needs a process of one thread.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

start_alone() {
    start_program "$1" python3 "$BATS_TEST_DIRNAME/fixtures/alone.py"
    wait_until_ready
}

# ask PATH: in the background; the answer goes to $work/answer.
ask() {
    curl -s --max-time 10 "http://127.0.0.1:${server_address#tcp4:}/$1" >"$work/answer" 3>&- &
    client_pid=$!
    remember_process "$client_pid"
}

# The request has been accepted.
is_connected() {
    ss -Htn state established "sport = :${server_address#tcp4:}" | grep -q .
}

has_coordinator() {
    grep -qs fluxshim "/proc/$server_pid/task"/*/comm
}

# The call comes while the coordinator's thread runs: same answer as bare, and a whole drain.
works_during_drain() { # NAME [THREADS]
    unshare --user true || skip "new user namespaces are not allowed here"
    start_alone shimmed
    ask "$1?ms=500"
    wait_for 5 is_connected
    send_signal TERM
    wait_for 2 has_coordinator
    await_exit
    await_process "$client_pid" 10
    expect_equal "answer (stderr: $(<"$server_err"))" "$(<"$work/answer")" \
        "$1 0 errno 0 threads before ${2:-2}"
    expect_equal "exit status" "$exit_status" 143
}

@test "unshare(CLONE_NEWUSER) works during a drain" {
    works_during_drain unshare
}

@test "setns works during a drain" {
    works_during_drain setns
}

# Its thread ends for that, and another one hears of what follows.
@test "unshare(CLONE_NEWUSER) works during a drain of which a hook is told" {
    export HOOK_NOTES=$work/notes FLUX_HOOKS=$BUILD/tests/hooks/tells.so
    works_during_drain unshare 3
    expect_equal "its last calls" "$(tail -n 3 "$HOOK_NOTES" | paste -sd ' ')" \
        "null cleanup null event checkpoint null event release"
}

@test "a program that has entered seccomp gets its signal at once, without a thread of ours" {
    start_alone shimmed
    ask seccomp
    await_process "$client_pid" 10
    expect_equal "answer" "$(<"$work/answer")" "seccomp 0 errno 0 threads before 1"
    ask 'unshare?ms=3000'
    wait_for 5 is_connected
    stop_and_wait TERM
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 500
}
