# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# At a terminal a drain shows one line that lives, and elsewhere none.

load lib/fluxshim

setup() {
    fluxshim_setup
    command -v script >/dev/null || skip "script(1) is not installed"
}

teardown() {
    fluxshim_teardown
}

# start_at_terminal REDIRECTION SERVER...: its stderr is a terminal, unless REDIRECTION says
# otherwise; its stdout is a file. What the terminal got goes to $work/screen.
start_at_terminal() {
    local redirection=$1

    shift
    server_out=$work/out server_err=$work/err
    : >"$server_out"
    : >"$server_err"
    cat >"$work/run" <<END_OF_RUN
echo \$\$ >$work/pid
LD_PRELOAD=$SHIM exec $SERVERS/$* >$server_out $redirection
END_OF_RUN
    SHELL=/bin/sh script -qfec "exec sh $work/run" "$work/screen" \
        </dev/null >/dev/null 2>&1 3>&- 4>&- &
    script_pid=$!
    remember_process "$script_pid"
    wait_for 5 file_has "$server_out" ready
    read -r server_pid <"$work/pid"
    remember_process "$server_pid"
    read_addresses
}

# script hands the status on.
stop_at_terminal() {
    send_signal TERM
    await_process "$script_pid" 15
    exit_status=$process_status
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
}

# Without the lines that script writes itself.
screen() {
    grep -av '^Script ' "$work/screen"
}

@test "one line with connections and seconds left, gone at the end" {
    local newlines

    FLUX_DRAIN_TIMEOUT=20s start_at_terminal "" threaded
    start_inflight --slow 2 --path '/slow?ms=1400'
    stop_at_terminal
    cat -v "$work/screen"
    expect_match "screen" "$(screen)" 'fluxshim: draining, 2 connections left, 20 s'
    expect_match "screen later" "$(screen)" 'fluxshim: draining, 2 connections left, 19 s'
    newlines=$(screen | tr -cd '\n' | wc -c)
    expect_at_most "lines that it left" "$newlines" 1
    expect_match "screen at the end" "$(screen)" $'\r\033\\[K[\r\n]*$'
}

@test "messages of the log don't stand in it" {
    FLUX_LOG=info start_at_terminal "" threaded
    start_inflight --slow 1 --path '/slow?ms=500'
    stop_at_terminal
    cat -v "$work/screen"
    expect_match "screen" "$(screen)" $'draining, 1 connection left, 30 s\r\033\\[Kfluxshim\\[[0-9]+\\]: info'
}

@test "none when stderr is no terminal" {
    start_at_terminal "2>$work/err" threaded
    start_inflight --slow 1 --path '/slow?ms=500'
    stop_at_terminal
    expect_equal "stderr" "$(<"$work/err")" ""
    expect_equal "screen" "$(screen | tr -d '\r\n')" ""
}
