# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# The hook notify: the service manager hears of each step of a stop, in order.

load lib/fluxshim
load lib/builtin_hooks

setup() {
    fluxshim_setup
    find_python
}

teardown() {
    fluxshim_teardown
}

# listen_at ADDRESS: the manager's side; leaves NOTIFY_SOCKET and the file $messages.
listen_at() {
    messages=$work/messages
    "$python" "$BATS_TEST_DIRNAME/fixtures/notify_listen.py" "$1" >"$messages" 2>&1 3>&- 4>&- &
    remember_process "$!"
    disown "$!"
    export NOTIFY_SOCKET=$1
    wait_for 10 file_has "$messages" ready
}

# For wait_for: a message has this in it.
was_told() {
    grep -qF -- "$1" "$messages"
}

# What it was told of that begins with NAME=, one a line.
told() {
    tr '|' '\n' <"$messages" | sed -n "s/^$1=//p"
}

stops_step_by_step() { # ADDRESS
    listen_at "$1"
    configure_hooks '{"name": "notify", "config": {"ready": true}}'
    start_server shimmed threaded
    wait_for 5 was_told 'READY=1'
    expect_equal "while it serves" "$(<"$messages")" "ready"$'\n'"READY=1|STATUS=serving"
    start_inflight --slow 2 --path '/slow?ms=2400' # two events of the drain, and the last
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    wait_for 2 was_told 'STATUS=exiting'
    expect_equal "first" "$(sed -n '3s/|.*//p' "$messages")" STOPPING=1
    expect_equal "STOPPING=1" "$(told STOPPING | wc -l)" 1
    expect_equal "order" "$(told STATUS | grep -v 'stopping soon' | sed 's/, .*//' | uniq)" "serving
refusing new connections
draining
cleaning up
writing the checkpoint
exiting"
    was_told 'STATUS=draining, 2 connections left'
    expect_at_least "times that the drain was told" "$(told STATUS | grep -c draining)" 2
    expect_equal "each stopping message extends the time" "$(told EXTEND_TIMEOUT_USEC | wc -l)" \
        "$(told STATUS | grep -vc serving)"
    expect_equal "rows" "$(hook_rows)" "notify ok 0"
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "the steps of a stop, at a path" {
    stops_step_by_step "$work/notify"
}

@test "the steps of a stop, at an abstract address" {
    stops_step_by_step "@fluxshim.test.$$.$RANDOM"
}

@test "each message covers the time to the end of the phase, and READY only if asked for" {
    listen_at "$work/notify"
    call_hook notify null running lame_duck drain=1 drain=0 # 2 s are left of each phase
    wait_for 5 was_told '0 connections left'
    expect_equal "messages" "$(tail -n +2 "$messages")" \
"STOPPING=1|STATUS=stopping soon, still accepting|EXTEND_TIMEOUT_USEC=7000000
STATUS=draining, 1 connection left|EXTEND_TIMEOUT_USEC=7000000
STATUS=draining, 0 connections left|EXTEND_TIMEOUT_USEC=7000000"
}

@test "a program that unsets NOTIFY_SOCKET is heard of all the same" {
    listen_at "$work/notify"
    configure_hooks '{"name": "notify"}'
    start_program shimmed "$python" -c 'import os, socket, signal
socket.socket().listen()
del os.environ["NOTIFY_SOCKET"]
print("ready", flush=True)
signal.pause()'
    wait_until_ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    wait_for 2 was_told STOPPING=1
}

@test "nobody to be told, and somebody who is gone" {
    unset NOTIFY_SOCKET
    call_hook notify null running drain=1 cleanup
    expect_match "unset" "$hook_output" 'log 3 notify: NOTIFY_SOCKET isn.t set'
    expect_match "unset" "$hook_output" 'cleanup 0'
    NOTIFY_SOCKET=$work/none call_hook notify null running drain=1 drain=0 cleanup
    expect_equal "gone: told once" "$(grep -c 'log 1' <<<"$hook_output")" 1
    expect_match "gone" "$hook_output" 'cleanup 2'
    NOTIFY_SOCKET=vsock:2:9 call_hook notify null running drain=1 cleanup
    expect_match "unknown" "$hook_output" "no address that this hook knows: 'vsock:2:9'"
    expect_match "unknown" "$hook_output" 'cleanup 0'
}
