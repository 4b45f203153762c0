# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# The hooks run once and in their order when the last connection has ended, whatever each does.

load lib/fluxshim

setup() {
    fluxshim_setup
    hooks=$BUILD/tests/hooks
    export HOOK_NOTES=$work/notes
    export FLUX_CHECKPOINT=$work/state.json
}

teardown() {
    fluxshim_teardown
}

# Rows of the checkpoint: file, status, result.
rows() {
    checkpoint_value "$FLUX_CHECKPOINT" \
        '.hooks[] | [(.path | split("/") | last), .status, .result] | join(" ")'
}

# note_hooks NAME...: copies of a hook that notes its own name.
note_hooks() {
    local name

    for name in "$@"; do
        install -m 755 "$hooks/note.so" "$work/$name.so"
    done
}

stop_with() { # FLUX_HOOKS SERVER...
    FLUX_HOOKS=$1 start_server shimmed "${@:2}"
    start_inflight --slow 1 --path '/slow?ms=200'
    stop_and_wait "${stop_signal:-TERM}"
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
}

@test "flux_cleanup runs once, by either signal, in each server" {
    local server stop_signal
    local -A status=([TERM]=143 [INT]=130)

    note_hooks once
    for server in single threaded epoll; do
        for stop_signal in TERM INT; do
            rm -f "$HOOK_NOTES"
            stop_with "$work/once.so" "$server"
            expect_equal "exit status of $server" "$exit_status" "${status[$stop_signal]}"
            expect_equal "notes" "$(<"$HOOK_NOTES")" once.so
            expect_equal "rows" "$(rows)" "once.so ok 0"
            expect_equal "stderr" "$(<"$server_err")" ""
        done
    done
}

@test "it runs after the last connection has ended" {
    note_hooks late
    FLUX_HOOKS=$work/late.so start_server shimmed threaded
    start_inflight --slow 1 --path '/slow?ms=500'
    send_signal TERM
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    await_exit
    expect_equal "notes" "$(<"$HOOK_NOTES")" late.so
    expect_equal "drain and hooks don't overlap" "$(checkpoint_value "$FLUX_CHECKPOINT" '
        [.phases[] | select(.name == "drain" or .name == "hooks")]
        | .[0].start_ms + .[0].duration_ms <= .[1].start_ms + 0.01 and .[0].duration_ms > 400')" true
}

@test "lower priorities first, equal ones in the order given" {
    note_hooks e d c b a
    stop_with "$work/e.so=200:$work/d.so:$work/c.so=10:$work/b.so:$work/a.so=0" threaded
    expect_equal "exit status" "$exit_status" 143
    expect_equal "order" "$(paste -sd ' ' "$HOOK_NOTES")" "a.so c.so d.so b.so e.so"
    expect_equal "order in the checkpoint" "$(rows | cut -d ' ' -f 1 | paste -sd ' ')" \
        "a.so c.so d.so b.so e.so"
}

@test "a relative path means the folder of the start" {
    note_hooks near
    stop_with "./near.so" single
    expect_equal "notes" "$(<"$HOOK_NOTES")" near.so
}

@test "one that fails is recorded, and the next one runs" {
    note_hooks next
    stop_with "$hooks/fails.so:$work/next.so" threaded
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows" "$(rows)" "fails.so failed 7"$'\n'"next.so ok 0"
    expect_equal "notes" "$(<"$HOOK_NOTES")" next.so
    expect_match "stderr" "$(<"$server_err")" 'warning: hook [^ ]*/fails.so failed: .* 7$'
}

@test "one that hangs costs its own time, and the stop goes on" {
    local server

    note_hooks next
    for server in single threaded; do
        rm -f "$HOOK_NOTES"
        FLUX_HOOK_TIMEOUT=300ms stop_with "$hooks/hangs.so:$work/next.so" "$server"
        expect_equal "exit status of $server" "$exit_status" 143
        expect_at_most "ms to the exit" "$exit_ms" 2500
        expect_equal "rows" "$(rows)" "hangs.so timeout "$'\n'"next.so ok 0"
        expect_equal "notes" "$(<"$HOOK_NOTES")" next.so
        expect_match "stderr" "$(<"$server_err")" 'warning: hook [^ ]*/hangs.so: timeout'
    done
}

# What it does to masks and threads is none of the program's, whose signal is blocked for instance.
leaves_program_alone() { # STATUS STYLE SERVER
    export FLUX_CHECKPOINT=$work/state.$BASHPID
    stop_with "$hooks/changes_mask.so:$hooks/makes_thread.so" "$3" --signal "$2"
    expect_equal "exit status" "$exit_status" "$1"
    expect_equal "rows" "$(rows)" "changes_mask.so ok 0"$'\n'"makes_thread.so ok 0"
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_at_most "ms to the exit" "$exit_ms" 1000
}

@test "one that changes its mask, and one that makes a thread, in a single-threaded server" {
    in_parallel 3 leaves_program_alone <<'END'
143 default single
7 sigaction single
7 signalfd epoll
7 ppoll poll
7 pselect select
END
}

@test "without a stop it runs at the exit, once, and not with FLUX_ON_EXIT=off" {
    local exits='import socket, sys
socket.socket().listen()
sys.exit(3)'

    note_hooks exit
    FLUX_HOOKS=$work/exit.so start_program shimmed python3 -c "$exits"
    await_exit
    expect_equal "exit status" "$exit_status" 3
    expect_equal "notes" "$(<"$HOOK_NOTES")" exit.so
    rm "$HOOK_NOTES"
    FLUX_ON_EXIT=off FLUX_HOOKS=$work/exit.so start_program shimmed python3 -c "$exits"
    await_exit
    expect_equal "exit status" "$exit_status" 3
    [ ! -e "$HOOK_NOTES" ]
}

@test "a program that a server starts runs none" {
    note_hooks once
    FLUX_HOOKS=$work/once.so start_server shimmed threaded --helper 'echo helped'
    expect_equal "helper" \
        "$(curl -s "http://127.0.0.1:${server_address#tcp4:}/helper?how=fork")" helped
    [ ! -e "$HOOK_NOTES" ]
    stop_and_wait
    expect_equal "notes" "$(<"$HOOK_NOTES")" once.so
}
