# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim and lib/fluxctl
# fluxctl watch: from before the stop until the process is gone, at a terminal, as lines, as events.

load lib/fluxshim
load lib/fixtures
load lib/fluxctl

setup() {
    fluxctl_setup
}

teardown() {
    fluxctl_teardown
}

start_epoll() { # SLOW_MS
    FLUX_HOOKS=$BUILD/tests/hooks/note.so HOOK_NOTES=$work/notes start_server shimmed epoll --listen tcp4
    start_inflight --slow 2 --idle 1 --path "/slow?ms=$1"
}

watch_has() { # REGULAR_EXPRESSION
    grep -qE -- "$1" "$watch_out"
}

# Events ------------------------------------------------------------------------------------------

# Progress is what it is by when it was looked: once, with the fewest that were left.
events() {
    jq -c 'select(.event != "progress")' "$watch_out" >"$work/events"
    normalized "$work/events" | jq -c 'if .sender then .sender = "SENDER" else . end |
        if .stop.sender then .stop.sender = "SENDER" else . end'
}

@test "--json: a drained stop from before it to after it" {
    start_epoll 800
    start_watch --json "$server_pid"
    wait_for 5 watch_has '"connections_left":3'
    stop_and_wait TERM
    await_watch
    expect_equal "status" "$watch_status" 0
    expect_golden "events" "$(events)" "$(cat <<'END'
{"event":"begin","elapsed_ms":null,"pid":"PID","name":"epoll","uid":"UID","file":"FILE","phase":"running","uptime_ms":"MS","generation":0}
{"event":"stop","elapsed_ms":"MS","reason":"signal","signal":"TERM","sender":"SENDER"}
{"event":"phase","elapsed_ms":"MS","phase":"lame duck","start_ms":"MS"}
{"event":"phase","elapsed_ms":"MS","phase":"refusing","start_ms":"MS"}
{"event":"phase","elapsed_ms":"MS","phase":"draining","start_ms":"MS"}
{"event":"phase","elapsed_ms":"MS","phase":"hooks","start_ms":"MS"}
{"event":"hook","elapsed_ms":"MS","name":"note","number":1,"of":1}
{"event":"phase","elapsed_ms":"MS","phase":"checkpoint","start_ms":"MS"}
{"event":"phase","elapsed_ms":"MS","phase":"released","start_ms":"MS"}
{"event":"end","elapsed_ms":"MS","how":"drained","generation":0,"stop":{"reason":"signal","signal":"TERM","sender":"SENDER","second_signal":false,"elapsed_ms":"MS","phase_left_ms":"MS","shutdown_left_ms":"MS","phases":[{"name":"lame duck","start_ms":"MS"},{"name":"refusing","start_ms":"MS"},{"name":"draining","start_ms":"MS"},{"name":"hooks","start_ms":"MS"},{"name":"checkpoint","start_ms":"MS"},{"name":"released","start_ms":"MS"}],"connections_at_signal":3,"connections_left":0,"drained":3,"nudged":1,"forced":0,"hook":{"name":"note","number":1,"of":1}}}
END
)"
    expect_equal "progress" "$(jq -c 'select(.event == "progress") | .phase' "$watch_out" | sort -u | tr '\n' ' ')" \
        '"draining" "running" '
    expect_equal "keys of progress" \
        "$(jq -c 'select(.event == "progress") | keys_unsorted' "$watch_out" | sort -u)" \
        '["event","elapsed_ms","phase","connections_left","connections_at_signal","phase_left_ms","shutdown_left_ms","oldest"]'
    expect_equal "why the oldest is open" \
        "$(jq -r 'select(.phase == "draining" and .event == "progress" and .connections_left == 2) | .oldest[].why' "$watch_out" | sort -u)" \
        'request not answered'
}

@test "connections that are cut off: status 6, a second signal is told" {
    start_epoll 20000
    start_watch --json "$server_pid"
    send_signal TERM
    wait_for 5 watch_has draining
    kill -s TERM "$server_pid"
    await_exit
    await_watch
    expect_equal "status" "$watch_status" 6
    expect_equal "end" "$(jq -c 'select(.event == "end") | [.how, .stop.forced, .stop.second_signal]' "$watch_out")" \
        '["forced",2,true]'
    expect_equal "second signal" "$(grep -c '"second_signal","elapsed_ms"' "$watch_out")" 1
}

@test "a process that dies in mid-stop, or before one: said, status 1" {
    start_epoll 20000
    start_watch --json "$server_pid"
    send_signal TERM
    wait_for 5 watch_has draining
    send_signal KILL
    await_exit
    await_watch
    expect_equal "status" "$watch_status" 1
    expect_equal "end" "$(jq -c 'select(.event == "end") | [.how, (.stop.phases | length)]' "$watch_out")" '["died",3]'
    start_epoll 20000
    start_watch "$server_pid"
    send_signal KILL
    await_exit
    await_watch
    expect_equal "status" "$watch_status" 1
    expect_match "last line" "$(tail -n 1 "$watch_out")" 'ended without a stop$'
}

@test "a main process that is killed leaves its workers: they are followed" {
    start_program shimmed "$FIXTURES/families" prefork 2
    wait_until_ready
    start_watch --json "$server_pid"
    send_signal KILL
    await_exit
    wait_for 5 watch_has '"leader"'
    while read -r _ pid; do
        kill -KILL "$pid"
    done < <(grep '^worker' "$server_out")
    await_watch
    expect_equal "status" "$watch_status" 1
    expect_equal "end" "$(jq -c 'select(.event == "end") | .how' "$watch_out")" '"died"'
}

@test "a program that exits by itself" {
    FLUX_HOOKS=$BUILD/tests/hooks/note.so HOOK_NOTES=$work/notes start_program shimmed python3 -c '
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
open(sys.argv[1]).read()' "$work/gate"
    mkfifo gate
    wait_for 10 file_has "$server_out" ready
    start_watch --json "$server_pid"
    : >gate
    await_watch
    expect_equal "status" "$watch_status" 0
    expect_equal "end" "$(jq -c 'select(.event == "end") | [.how, .stop.reason, .stop.signal]' "$watch_out")" \
        '["exited","exit",null]'
}

@test "a main process that forks and goes is followed by its child" {
    cat >daemon.py <<'END'
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
open(sys.argv[1]).read()
if os.fork():
    os._exit(0)
print("daemon", os.getpid(), flush=True)
listener.accept()
END
    mkfifo gate
    start_program shimmed python3 daemon.py "$work/gate"
    wait_for 10 file_has "$server_out" ready
    start_watch --json "$server_pid"
    : >gate
    wait_for 5 watch_has '"leader"'
    daemon=$(sed -n 's/^daemon //p' "$server_out")
    expect_equal "leader" "$(jq 'select(.event == "leader") | .pid' "$watch_out")" "$daemon"
    kill -TERM "$daemon"
    await_watch
    expect_equal "status" "$watch_status" 0
    expect_equal "end" "$(jq -c 'select(.event == "end") | .how' "$watch_out")" '"drained"'
}

@test "a server that execs itself in answer serves on" {
    cat >again.py <<'END'
import os, signal, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
signal.signal(signal.SIGTERM, lambda *_: os.execv(sys.executable, [sys.executable, *sys.argv]))
print("ready", flush=True)
listener.accept()
END
    start_program shimmed python3 again.py
    wait_for 10 file_has "$server_out" ready
    start_watch "$server_pid"
    send_signal TERM
    await_watch
    expect_equal "status" "$watch_status" 0
    expect_match "last line" "$(tail -n 1 "$watch_out")" 'serves on after'
}

# Lines -------------------------------------------------------------------------------------------

@test "lines: each phase, each second of a drain, and the end" {
    start_epoll 1500
    start_watch "$server_pid"
    stop_and_wait TERM
    await_watch
    expect_equal "status" "$watch_status" 0
    expect_golden "lines" "$(sed -E 's/[0-9]+\.[0-9]{3} s/T s/; s/pid [0-9]+/pid P/; s/: [0-9.]+ s/: D/g;
        s/after [0-9.]+ s/after D/; s/127[0-9.:]+/PEER/; s/^ +//' "$watch_out")" "$(cat <<'END'
T s  epoll (pid P), running
T s  stop: SIGTERM from pid P
T s  refuse
T s  drain
T s  2 of 3 connections left; drain: D, all: D; oldest PEER, request not answered
T s  hooks
T s  hook 1 of 1: note
T s  checkpoint
T s  release
T s  ended after D: 3 drained (1 nudged), 0 forced, 1 hook
END
)"
}

@test "nobody reads any more: it ends, quietly, also while nothing happens" {
    start_epoll 20000
    { timeout 20 "$FLUXCTL" watch --json "$server_pid" 2>err 3>&- | head -n 1; } >out
    expect_equal "lines" "$(wc -l <out)" 1
    (trap '' PIPE; timeout 20 "$FLUXCTL" watch "$server_pid" 2>>err 3>&- | head -n 1 >>out)
    expect_equal "lines" "$(wc -l <out)" 2
    expect_equal "stderr" "$(<err)" ""
}

@test "what can't be is said" {
    for interval in 0 1ms 2h x -1; do
        fluxctl watch --interval "$interval" 1
        expect_ctl 2
    done
    fluxctl watch
    expect_ctl 2
    fluxctl watch 4194304
    expect_ctl 3
    start_server bare epoll --listen tcp4
    fluxctl watch "$server_pid"
    expect_ctl 3
    expect_match "why" "$ctl_err" 'does not run under fluxshim'
}

# At a terminal -----------------------------------------------------------------------------------

watch_at() { # COLUMNS ROWS [OPTION]
    need_tmux
    start_terminal "$1" "$2" "env FLUX_RUN_DIR=$FLUX_RUN_DIR $FLUXCTL watch ${3:-} $server_pid; echo status \$?"
}

@test "at a terminal: running, the drain, the end, in one place" {
    start_epoll 1500
    watch_at 80 24
    wait_for 5 screen_has '^3 connections: 2 in flight, 1 idle$'
    expect_match "first row" "$(screen | head -n 1)" "^running: epoll \(pid $server_pid\)\$"
    send_signal TERM
    wait_for 5 screen_has '^2 of 3 connections left$'
    expect_match "drain" "$(screen)" "^draining: epoll \(pid $server_pid\), SIGTERM from pid [0-9]+
2 of 3 connections left
\[#{20}\.{40}\]  33%
time left: [0-9.]+ s of this phase, [0-9.]+ s of all
refuse 0 ms -> drain [0-9.]+ m?s
QUIET FOR  PEER +WHY IT IS OPEN
 +[0-9.]+ m?s  127[0-9.:]+ +request not answered
 +[0-9.]+ m?s  127[0-9.:]+ +request not answered"
    expect_equal "cursor" "$(at_terminal display-message -p '#{cursor_flag}')" 0
    await_exit
    wait_for 5 screen_has '^status 0$'
    expect_match "the end" "$(screen)" "^refuse 0 ms -> drain [0-9.]+ s -> hooks [0-9]+ ms -> checkpoint [0-9]+ ms -> release [0-9]+ ms
epoll: ended after [0-9.]+ s: 3 drained \(1 nudged\), 0 forced, 1 hook
status 0"
    expect_equal "cursor" "$(at_terminal display-message -p '#{cursor_flag}')" 1
}

@test "20 columns: nothing wraps, and the end is told in whole" {
    start_epoll 1200
    watch_at 20 24
    wait_for 5 screen_has '^3 connections'
    send_signal TERM
    wait_for 5 screen_has '^2 of 3 connections$'
    expect_match "drain" "$(screen)" "^draining: epoll \(pi
2 of 3 connections
\[####\.{8}\]  33%
[0-9.]+ s of [0-9.]+ s
drain [0-9.]+ m?s
PEER, QUIET FOR
127[0-9.: ms]+
127[0-9.: ms]+\$"
    await_exit
    wait_for 5 screen_has '^status 0$'
    expect_match "the end" "$(screen | tr '\n' ' ')" \
        'epoll: ended after [0-9.]+ s: 3 drained +\(1 nudged\), 0 +forced, 1 hook +status 0'
}

@test "a terminal that shrinks and grows is redrawn, one of 4 rows shows the first of it" {
    start_epoll 20000
    watch_at 80 24 --interval=2s # tmux wraps first, and tells the new width later: no frame between
    wait_for 5 screen_has 'WHY IT IS OPEN'
    at_terminal resize-window -x 30 -y 24
    wait_for 5 screen_has '^PEER, QUIET FOR'
    expect_one_head
    at_terminal resize-window -x 100 -y 24
    wait_for 5 screen_has 'WHY IT IS OPEN'
    expect_one_head
    at_terminal resize-window -x 100 -y 4
    wait_for 5 screen_is_small
}

expect_one_head() {
    screen >screen
    expect_equal "heads of $(<screen)" "$(grep -c '^running' screen)" 1
}

screen_is_small() {
    [ "$(screen | grep -c .)" = 2 ] && screen_has '^running'
}

ends_by() { # SIGNAL STATUS
    start_epoll 20000
    watch_at 80 24
    wait_for 5 screen_has '^running'
    kill -s "$1" "$(pgrep -f "^$FLUXCTL watch $server_pid\$")"
    wait_for 5 screen_has "^status $2\$"
    expect_equal "cursor" "$(at_terminal display-message -p '#{cursor_flag}')" 1
    end_terminal
}

@test "SIGINT and SIGTERM give the cursor back, and end it as they end others" {
    ends_by INT 130
    ends_by TERM 143
}

@test "Ctrl-S holds up nothing but the screen; Ctrl-Q goes on, Ctrl-C ends it" {
    start_epoll 20000
    watch_at 80 24
    wait_for 5 screen_has '^running'
    at_terminal send-keys C-s
    send_signal TERM
    read -rt 0.5 <>"$work/never" || :
    expect_match "the screen stands" "$(screen)" '^running'
    at_terminal send-keys C-q
    wait_for 5 screen_has '^draining'
    at_terminal send-keys C-s
    send_signal TERM
    await_exit
    read -rt 0.3 <>"$work/never" || :
    expect_match "the screen stands" "$(screen)" '^draining'
    at_terminal send-keys C-q
    wait_for 5 screen_has '^status 6$'
}

@test "stopped by Ctrl-Z it gives the cursor back, and goes on below" {
    need_tmux
    start_epoll 20000
    start_terminal 80 24 "env FLUX_RUN_DIR=$FLUX_RUN_DIR PS1=\\> bash --norc -i"
    at_terminal send-keys "$FLUXCTL watch $server_pid" Enter
    wait_for 5 screen_has '^running'
    at_terminal send-keys C-z
    wait_for 5 screen_has 'Stopped'
    expect_equal "cursor" "$(at_terminal display-message -p '#{cursor_flag}')" 1
    at_terminal send-keys fg Enter
    wait_for 5 two_heads
    at_terminal send-keys C-c
    at_terminal send-keys "echo status \$?" Enter
    wait_for 5 screen_has '^status 130'
}

two_heads() {
    [ "$(screen | grep -c '^running')" = 2 ]
}
