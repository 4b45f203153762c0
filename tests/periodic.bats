# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# While it serves, its checkpoint is written every so often, and the server notices nothing.

load lib/fluxshim

setup() {
    fluxshim_setup
    state=$work/state.json
    export FLUX_CHECKPOINT=$state FLUX_CHECKPOINT_INTERVAL=50ms
}

teardown() {
    fluxshim_teardown
}

value() {
    checkpoint_value "$state" "$1"
}

# For wait_for: GENERATION has been reached.
is_at() {
    [ -e "$state" ] && [ "$(value .generation)" -ge "$1" ]
}

has_tasks() { # COUNT
    local tasks=("/proc/$server_pid/task"/*)

    [ "${#tasks[@]}" = "$1" ]
}

descriptors() {
    (cd "/proc/$server_pid/fd" && echo *)
}

serves() {
    "$TOOLS/inflight" --connect "$server_address" --slow 1 --path / 3>&-
}

@test "every style of server: written while it serves, and then nothing is left of it" {
    local name before _

    for name in single select poll epoll; do
        rm -f "$state"*
        start_server shimmed "$name"
        before=$(descriptors)
        wait_for 10 is_at 3
        serves
        wait_for 10 is_at 6
        wait_for 5 has_tasks 1
        for _ in {1..20}; do
            expect_equal "$name: descriptors" "$(descriptors)" "$before"
        done
        expect_equal "$name: reason" \
            "$(value '[.reason, .signal, .began_at, .exit_status, .lifetime.stops] | @csv')" '"periodic",,,,0'
        expect_at_least "$name: accepted" "$(value .connections.accepted)" 1
        stop_and_wait
        expect_equal "$name: exit status" "$exit_status" 143
        expect_equal "$name: stderr" "$(<"$server_err")" ""
        expect_equal "$name: at the end" "$(value '[.reason, .lifetime.stops] | @csv')" '"signal",1'
    done
}

@test "a threaded server: its coordinator does it" {
    start_server shimmed threaded
    wait_for 10 is_at 3
    serves
    wait_for 10 is_at 6
    expect_equal "reason" "$(value .reason)" periodic
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "reason" "$(value .reason)" signal
}

@test "a program's waits are not cut short, and no child is there to be waited for" {
    export FLUX_CHECKPOINT_INTERVAL=5ms
    start_program shimmed "$BUILD/tests/fixtures/ticked"
    await_exit 20
    cat "$server_out" "$server_err"
    expect_equal "exit status" "$exit_status" 0
    expect_at_least "checkpoints" "$(value .generation)" 20
}

@test "a family: its owner writes, also after daemon(3)" {
    start_program shimmed "$BUILD/tests/fixtures/ticked" daemon
    await_exit
    wait_for 10 is_at 4
    expect_equal "reason" "$(value .reason)" periodic
    server_pid=$(value .process.pid)
    remember_process "$server_pid"
    kill -TERM "$server_pid"
    wait_for 10 is_stopped
}

is_stopped() {
    [ "$(value .reason)" = signal ]
}

# As fluxctl would: the family's signal, with what its file says (format/family_layout.h).
request_a_checkpoint() {
    python3 - "$work"/run/* "$server_pid" <<'END'
import ctypes
import struct
import sys

with open(sys.argv[1], "rb") as file:
    _, _, _, cookie, signo, _ = struct.unpack("IIQQII", file.read(32))
libc = ctypes.CDLL(None)
libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
sys.exit(libc.sigqueue(int(sys.argv[2]), signo, cookie ^ 1))
END
}

@test "on demand, from outside" {
    local name

    mkdir -m 700 run
    unset FLUX_CHECKPOINT_INTERVAL
    export FLUX_RUN_DIR=$work/run
    for name in epoll threaded; do
        rm -f "$state"*
        start_server shimmed "$name"
        request_a_checkpoint
        wait_for 5 is_at 1
        expect_equal "$name: reason" "$(value .reason)" request
        request_a_checkpoint
        wait_for 5 is_at 2
        serves
        stop_and_wait
        expect_equal "$name: exit status" "$exit_status" 143
        expect_equal "$name: generation" "$(value .generation)" 3
    done
}

@test "a hook saves each time, on a thread that is gone afterwards" {
    FLUX_HOOKS=$BUILD/counter.so start_server shimmed epoll
    wait_for 10 is_at 3
    expect_equal "hook" "$(value '.hooks[] | [.name, .status, .result, .state.starts] | @csv')" \
        '"counter","serving",,1'
    wait_for 5 has_tasks 1
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "hook" "$(value '.hooks[] | [.status, .state.starts] | @csv')" '"ok",1'
}

@test "stopped and exited while it is being written, again and again" {
    local _

    export FLUX_CHECKPOINT_INTERVAL=2ms
    for _ in {1..25}; do
        start_server shimmed epoll
        stop_and_wait
        expect_equal "exit status" "$exit_status" 143
        expect_at_most "ms to stop" "$exit_ms" 2000
        expect_equal "reason" "$(value .reason)" signal
    done
    expect_equal "starts" "$(value .lifetime.starts)" 25
    expect_equal "files" "$(echo state.json*)" "state.json state.json.prev"
}

@test "exits by itself while it is being written, and forks meanwhile" {
    local _

    export FLUX_CHECKPOINT_INTERVAL=1ms
    for _ in {1..15}; do
        start_program shimmed python3 -c 'import os, random, socket, sys, time
socket.socket().listen()
end = time.monotonic() + 0.05 + random.random() / 20
while time.monotonic() < end:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)
sys.exit(3)'
        await_exit
        expect_equal "exit status" "$exit_status" 3
        expect_equal "stderr" "$(<"$server_err")" ""
        expect_equal "at the end" "$(value '[.reason, .exit_status] | @csv')" '"exit",3'
    done
}

@test "nothing is lost under load, while it is written a thousand times a second" {
    local name

    export FLUX_CHECKPOINT_INTERVAL=1ms
    for name in single poll epoll threaded; do
        start_server shimmed "$name"
        start_client churn --connect "$server_address" --threads 2 --seconds 1
        await_client
        expect_match "$name: $client_last" "$client_last" '^ok [1-9][0-9]* refused 0 lost 0 timeout 0 '
        stop_and_wait
        expect_equal "$name: exit status" "$exit_status" 143
        expect_equal "$name: stderr" "$(<"$server_err")" ""
    done
}

# Each parses it as fast as it can until the file `stop` is there.
read_all_the_time() { # NUMBER
    exec python3 -c 'import json, os, sys
whole = broken = 0
while not os.path.exists("stop"):
    try:
        with open(sys.argv[1]) as file:
            whole += json.load(file)["schema"] == "fluxshim/1"
    except (OSError, ValueError, KeyError):
        broken += 1
print(whole, broken)' "$state" >"$work/counts.$1"
}

@test "four that read it all the time see a whole one each time" {
    local count=300 readers=() i whole broken sum=0

    [ -z "${FLUX_TEST_LONG:-}" ] || count=10000
    FLUX_CHECKPOINT_INTERVAL=1ms start_server shimmed epoll
    wait_for 10 is_at 1
    for i in 1 2 3 4; do
        read_all_the_time "$i" 3>&- 4>&- &
        readers+=("$!")
        remember_process "$!"
    done
    wait_for 500 is_at "$count"
    touch stop
    for i in 1 2 3 4; do
        await_process "${readers[i - 1]}" 20
        read -r whole broken <"counts.$i"
        expect_equal "reads that were not whole" "$broken" 0
        sum=$((sum + whole))
    done
    note "$sum reads during $(value .generation) checkpoints"
    expect_at_least "reads" "$sum" "$count"
}

count_of() { # FILE: as the next start would read it
    checkpoint_value "$1" '.hooks[] | select(.name == "counter") | .state.starts'
}

@test "a counter of a hook survives restarts and SIGKILLs, with at most the last interval lost" {
    local rounds=20 i killed=0

    [ -z "${FLUX_TEST_LONG:-}" ] || rounds=100
    export FLUX_HOOKS=$BUILD/counter.so FLUX_CHECKPOINT_INTERVAL=20ms
    for ((i = 1; i <= rounds; i++)); do
        start_server shimmed epoll
        if ((i % 10 < 3)); then
            wait_for 10 has_saved
            send_signal KILL
            killed=$((killed + 1))
        else
            send_signal TERM
        fi
        await_exit
        expect_equal "starts after round $i" "$(count_of "$state")" "$i"
    done
    note "$rounds restarts, $killed of them SIGKILLs"
    expect_equal "starts" "$(value .lifetime.starts)" "$rounds"
    expect_equal "stops" "$(value .lifetime.stops)" $((rounds - killed))
}

has_saved() {
    [ -e "$state" ] && [ "$(value .process.pid)" = "$server_pid" ]
}
