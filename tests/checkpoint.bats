# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# The checkpoint tells what happened, and at every instant one whole file is there.

load lib/fluxshim

setup() {
    fluxshim_setup
    state=$work/state.json
    export FLUX_CHECKPOINT=$state
}

teardown() {
    fluxshim_teardown
}

value() {
    checkpoint_value "$state" "$1"
}

stop_once() { # SERVER OPTION...
    start_server shimmed "$@"
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
}

# A thread each for main, the shim and every connection that was accepted.
has_tasks() { # COUNT
    local tasks=("/proc/$server_pid/task"/*)

    [ "${#tasks[@]}" = "$1" ]
}

@test "a stop under load: every field" {
    FLUX_HOOKS=$BUILD/tests/hooks/fails.so start_server shimmed threaded
    local began=$EPOCHSECONDS
    "$TOOLS/inflight" --connect "$server_address" --slow 1 --path / 3>&-
    start_inflight --slow 2 --path '/slow?ms=1000' --idle 3
    wait_for 5 has_tasks 7
    stop_and_wait
    await_client
    cat "$state"
    expect_equal "process" \
        "$(value '.process | [.pid, .ppid, .uid, .gid, .name, .exe] | @csv')" \
        "$server_pid,$$,$(id -u),$(id -g),\"threaded\",\"$SERVERS/threaded\""
    expect_equal "signal" \
        "$(value '.signal | [.number, .name, .sender.pid, .sender.uid] | @csv')" \
        "15,\"TERM\",$BASHPID,$(id -u)"
    expect_equal "reason" "$(value '[.reason, .exit_status, .second_signal, .generation] | @csv')" \
        '"signal",,false,1'
    expect_equal "phases" "$(value '[.phases[].name] | join(" ")')" \
        "lame-duck refuse drain hooks checkpoint"
    expect_equal "phases in order" "$(value '[.phases[].start_ms] | . == sort')" true
    expect_at_least "ms of the drain" \
        "$(value '.phases[] | select(.name == "drain") | .duration_ms | floor')" 300
    expect_equal "listener" \
        "$(value '[.listeners | length, .[0].address, .[0].accepted, .[0].refusal] | @csv')" \
        "1,\"127.0.0.1:${server_address#tcp4:}\",6,\"blackhole\""
    expect_equal "connections" \
        "$(value '.connections | [.accepted, .at_signal, .drained, .nudged, .forced] | @csv')" \
        "6,5,5,3,0"
    expect_equal "remaining" "$(value '.connections.remaining | length')" 0
    expect_equal "hooks" "$(value '.hooks[] | [.path, .status, .result] | @csv')" \
        "\"$BUILD/tests/hooks/fails.so\",\"failed\",7"
    expect_match "schema" "$(value .schema)" '^fluxshim'
    expect_at_least "began at" "$(date -d "$(value .began_at)" +%s)" "$began"
    expect_at_most "written at" "$(date -d "$(value .written_at)" +%s)" "$EPOCHSECONDS"
    expect_at_least "ms until it was written" "$(value '.duration_ms | floor')" 300
}

@test "a connection that was forced is named with its peer" {
    FLUX_DRAIN_TIMEOUT=300ms start_server shimmed epoll
    start_inflight --stuck 1
    stop_and_wait
    expect_equal "forced" "$(value .connections.forced)" 1
    expect_match "remaining" \
        "$(value '.connections.remaining[] | [.peer, .state, .why, .forced] | @csv')" \
        '^"127\.[0-9.]+:[0-9]+","[a-z -]+","[^"]+",true$'
}

@test "an exit by itself is told as one" {
    start_program shimmed python3 -c 'import socket, sys
socket.socket().listen()
sys.exit(3)'
    await_exit
    expect_equal "exit status" "$exit_status" 3
    expect_equal "reason" "$(value '[.reason, .exit_status, .signal] | @csv')" '"exit",3,'
}

@test "only its owner can read it, whatever the umask" {
    umask 0
    stop_once single
    expect_equal "mode" "$(stat -c %a "$state")" 600
}

@test "the one before is kept as .prev and nothing else is left" {
    local _

    for _ in 1 2 3; do
        stop_once single
    done
    expect_equal "generation" "$(value .generation)" 3
    expect_equal "generation of the one before" \
        "$(checkpoint_value "$state.prev" .generation)" 2
    expect_equal "files" "$(cd "$work" && echo state*)" "state.json state.json.prev"
}

@test "what is no checkpoint is kept as .corrupt" {
    echo '{"half":' >"$state"
    stop_once single
    expect_equal "generation" "$(value .generation)" 1
    expect_equal "set aside" "$(<"$state.corrupt")" '{"half":'
}

@test "a relative path means the folder of the start, wherever the server goes" {
    FLUX_CHECKPOINT=state.json start_program shimmed \
        python3 "$BATS_TEST_DIRNAME/fixtures/http_server.py" /
    wait_until_ready
    expect_equal "the server's folder" "$(readlink "/proc/$server_pid/cwd")" /
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "reason" "$(value .reason)" signal
}

@test "a symbolic link in its place is left alone" {
    echo untouched >"$work/elsewhere"
    ln -s "$work/elsewhere" "$state"
    start_server shimmed single
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "the link's target" "$(<"$work/elsewhere")" untouched
    expect_match "stderr" "$(<"$server_err")" 'a symbolic link'
}

# Reads it as fast as it can until the file `stop` is there, and counts: whole ones, others.
read_all_the_time() {
    exec python3 -c 'import json, os, sys
whole = broken = 0
while not os.path.exists("stop"):
    try:
        with open(sys.argv[1]) as file:
            whole += json.load(file)["generation"] >= 1
    except (OSError, ValueError, KeyError):
        broken += 1
print(whole, broken)' "$state" >"$work/counts"
}

@test "who reads it all the time sees a whole one each time" {
    local reader whole broken

    stop_once single
    read_all_the_time 3>&- 4>&- &
    reader=$!
    remember_process "$reader"
    for _ in {1..15}; do
        stop_once single
    done
    touch "$work/stop"
    await_process "$reader" 10
    read -r whole broken <"$work/counts"
    note "$whole reads during 15 stops"
    expect_at_least "reads" "$whole" 1000
    expect_equal "reads that were not whole" "$broken" 0
    expect_equal "generation" "$(value .generation)" 16
}
