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
    expect_equal "lifetime" "$(value '.lifetime | [.starts, .stops, .accepted, .drained] | @csv')" \
        "1,1,6,5"
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
    expect_at_least "age" "$(value '.connections.remaining[0].age_at_least_ms | floor')" 300
    expect_at_least "bytes received" "$(value '.connections.remaining[0].bytes_received')" 1
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

@test "what is no checkpoint is set aside as .corrupt-1" {
    echo '{"half":' >"$state"
    start_server shimmed single
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_match "stderr" "$(<"$server_err")" 'state.json is no checkpoint, set aside'
    expect_equal "generation" "$(value .generation)" 1
    expect_equal "set aside" "$(<"$state.corrupt-1")" '{"half":'
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

state_of() { # FILE
    value ".state_files[] | select(.path | endswith(\"/$1\")) | .since_start"
}

@test "files of the server: what was changed or lost while it was down is told" {
    export FLUX_STATE_FILES=same:changed:touched:$work/lost:absent
    echo one | tee same changed touched lost
    stop_once single
    expect_equal "checksum" "$(value '.state_files[0].sha256')" "$(sha256sum <same | cut -d' ' -f1)"
    expect_equal "size" "$(value '.state_files[0].size')" 4
    expect_equal "one that is not there" "$(value '.state_files[4] | [.size, .sha256] | @csv')" ","
    echo two >changed
    touch -d '2001-01-01' touched
    rm lost
    start_server shimmed single
    stop_and_wait
    expect_equal "told" "$(sed 's/.*state file//' "$server_err")" \
        " $work/changed: changed since the last checkpoint
 $work/lost: lost since the last checkpoint"
    expect_equal "in the checkpoint" \
        "$(state_of same) $(state_of changed) $(state_of touched) $(state_of lost) $(state_of absent)" \
        "same changed same lost same"
}

@test "a state file that is too large for a checksum, a folder, a FIFO: told, and the server stops" {
    truncate -s 65M large
    mkdir folder
    mkfifo fifo
    FLUX_STATE_FILES=large:folder:fifo start_server shimmed single
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "told" "$(grep -c 'no checksum' "$server_err")" 3
    expect_match "stderr" "$(<"$server_err")" 'large: no checksum: it is larger than 64 MiB'
    expect_equal "size" "$(value '.state_files[0].size')" $((65 << 20))
}

# A server that closed its database's file by our doing would lose its lock on it.
@test "a lock that the server has on a state file stays" {
    FLUX_STATE_FILES=$work/data start_program shimmed python3 -c 'import fcntl, socket, time
file = open("data", "w")
file.write("x")
file.flush()
fcntl.lockf(file, fcntl.LOCK_EX)
socket.socket().listen()
print("ready", flush=True)
time.sleep(60)'
    wait_until_ready
    run python3 -c 'import fcntl
fcntl.lockf(open("data", "r+"), fcntl.LOCK_EX | fcntl.LOCK_NB)'
    expect_equal "the lock of another" "$status" 1
}

@test "the path: %p is the pid, %n the program's name" {
    FLUX_CHECKPOINT=$work/%n-%p%%.json start_server shimmed single
    stop_and_wait
    expect_equal "name" "$(checkpoint_value "single-$server_pid%.json" .process.pid)" "$server_pid"
}

@test "two servers with one path: whole documents, and the second is told" {
    local first second

    start_server shimmed single
    first=$server_pid
    start_server shimmed single
    second=$server_pid
    send_signal TERM "$first"
    await_process "$first" 10
    send_signal TERM "$second"
    await_process "$second" 10
    expect_match "stderr of the second" "$(<"$server_err")" "process $first writes to it as well"
    expect_equal "generation" "$(value .generation)" 2
    expect_equal "the one before" "$(checkpoint_value "$state.prev" .process.pid)" "$first"
}

@test "a clock that jumps backwards: the newest is the one with the highest generation" {
    stop_once single
    stop_once single
    touch -d '2001-01-01' "$state"
    sed -i 's/"written_at":.*"/"written_at":\t"1999-01-01T00:00:00.000Z"/' "$state"
    stop_once single
    expect_equal "starts" "$(value .lifetime.starts)" 3
    expect_equal "generation" "$(value .generation)" 3
}

cannot_be_written() { # WHAT REGULAR_EXPRESSION
    start_server shimmed single
    expect_match "$1, told at the start" "$(<"$server_err")" "$2"
    stop_and_wait
    expect_equal "$1, exit status" "$exit_status" 143
    expect_at_most "$1, ms to stop" "$exit_ms" 3000
}

@test "a folder, a FIFO or a device at the path: told at the start, and the server stops in time" {
    mkdir "$state"
    cannot_be_written "a folder" 'there is a folder at that path'
    rmdir "$state"
    mkfifo "$state"
    cannot_be_written "a FIFO" 'there is a FIFO at that path'
    FLUX_CHECKPOINT=/dev/null cannot_be_written "a device" 'there is a device at that path'
    FLUX_CHECKPOINT=/proc/none/state.json cannot_be_written "no folder" 'cannot be written to'
}

# A script that runs a server with a file system of its own at $work/disk.
write_on_a_disk() { # FILL REMOUNT_OPTION
    cat >on_a_disk <<EOF
mount -t tmpfs -o size=64k none "$work/disk"
cp "$work/before" "$work/disk/state.json"
$1
mount -o remount,$2 none "$work/disk"
exec env LD_PRELOAD=$SHIM $SERVERS/single
EOF
}

cannot_be_written_on_a_disk() { # REASON
    start_program bare unshare --mount sh ./on_a_disk
    wait_until_ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to stop" "$exit_ms" 3000
    expect_match "told" "$(<"$server_err")" "cannot be written: $1"
}

@test "a full disk, and one that is read-only: told, and the server stops in time" {
    [ "$(id -u)" = 0 ] || skip "needs root to mount"
    unshare --mount true || skip "may not mount here"
    mkdir disk
    stop_once single
    mv "$state" before
    export FLUX_CHECKPOINT=$work/disk/state.json
    write_on_a_disk "dd if=/dev/zero of=$work/disk/full bs=1k 2>/dev/null" rw
    cannot_be_written_on_a_disk 'No space left on device'
    expect_equal "at the start" "$(grep -c 'as it is now' "$server_err")" 0
    write_on_a_disk : ro
    cannot_be_written_on_a_disk 'Read-only file system'
    expect_equal "at the start" "$(grep -c 'as it is now' "$server_err")" 1
}

# Listens, enters a chroot, gives its privileges up and serves; with `threads` it has one before.
write_dropper() {
    cat >dropper.py <<'END'
import os
import socket
import sys
import threading
import time

jail, kind = sys.argv[1:]
if kind == "threads":
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
socket.socket().listen()
os.chroot(jail)
os.chdir("/")
os.setgid(65534)
os.setuid(65534)
print("ready", flush=True)
time.sleep(60)
END
}

drops() { # KIND FOLDER
    start_program shimmed env FLUX_CHECKPOINT="$2/state.json" FLUX_CHECKPOINT_INTERVAL=100ms \
        python3 dropper.py "$jail" "$1"
    wait_until_ready
    stop_and_wait
    expect_equal "$1: exit status" "$exit_status" 143
}

@test "a folder handed over before chroot and setuid keeps working after them" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    local top jail

    top=$(mktemp -d /tmp/fluxshim-jail.XXXXXX) # the test's own folder is root's alone
    jail=$top/jail
    chmod 755 "$top"
    mkdir -p "$jail/state" "$top/outside"
    chown 65534 "$jail/state" "$top/outside"
    write_dropper
    drops single "$jail/state"
    expect_equal "within the chroot" \
        "$(checkpoint_value "$jail/state/state.json" '[.reason, .process.uid] | @csv')" '"signal",65534'
    drops threads "$top/outside"
    expect_equal "outside of it, by a thread from before" \
        "$(checkpoint_value "$top/outside/state.json" '[.reason, .process.uid] | @csv')" '"signal",65534'
    rm -f "$top/outside"/*
    drops single "$top/outside"
    expect_match "outside of it, single-threaded: told" "$(<"$server_err")" \
        'outside/state.json cannot be written: No such file or directory'
    rm -rf "$top"
}
