# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim and lib/fluxctl
# fluxctl status: one server, found by any of its processes.

load lib/fluxshim
load lib/fixtures
load lib/fluxctl

setup() {
    fluxctl_setup
}

teardown() {
    fluxctl_teardown
}

start_epoll() {
    start_server shimmed epoll --listen tcp4
    start_inflight --slow 1 --idle 1 --path '/slow?ms=20000'
    wait_for 5 is_idle
}

is_idle() {
    fluxctl status --json "$server_pid"
    [ "$(jq .connections.idle "$work/ctl.out")" = 1 ]
}

# Without the settings, which have a test of their own; the connections by state: equal ages have no order.
document() {
    normalized <(jq 'del(.settings) | .connections.rows |= sort_by(.state)' "$work/ctl.out")
}

@test "as JSON" {
    start_epoll
    expect_ctl 0
    expect_golden "status --json" "$(document)" "$(tr -d '\n' <<'END'
{"pid":"PID","name":"epoll","uid":"UID","file":"FILE","phase":"running","uptime_ms":"MS","generation":0,
"stop":null,"members":[{"pid":"PID","name":"epoll","role":"owner","phase":"running","uptime_ms":"MS"}],
"listeners":[{"address":"LOOPBACK:PORT","pid":"PID","fd":"FD","holders":"HOLDERS","refuses":false,
"queued":0,"backlog":"BACKLOG"}],"connections":{"open":2,"in_flight":1,"idle":1,"unknown":0,"accepted":2,
"members_unreadable":0,"rows":[{"pid":"PID","fd":"FD","holders":"HOLDERS","local":"LOOPBACK:PORT",
"peer":"LOOPBACK:PORT","state":"idle","why":"answered","tracked":true,"forced":false,
"age_at_least_ms":"MS","quiet_ms":"MS","unread":0,"unsent":0,"bytes_received":"BYTES",
"bytes_sent":"BYTES"},{"pid":"PID","fd":"FD","holders":"HOLDERS","local":"LOOPBACK:PORT",
"peer":"LOOPBACK:PORT","state":"in flight","why":"request not answered","tracked":true,"forced":false,
"age_at_least_ms":"MS","quiet_ms":"MS","unread":0,"unsent":0,"bytes_received":"BYTES",
"bytes_sent":"BYTES"}]}}
END
)"
}

@test "while it stops: why, since when, what is left" {
    FLUX_HOOKS=$BUILD/tests/hooks/note.so HOOK_NOTES=$work/notes start_epoll
    send_signal TERM
    wait_for 5 drains
    expect_golden "stop" "$(normalized <(jq '.stop | .sender = (.sender != null)' "$work/ctl.out"))" "$(tr -d '\n' <<'END'
{"reason":"signal","signal":"TERM","sender":true,"second_signal":false,"elapsed_ms":"MS",
"phase_left_ms":"MS","shutdown_left_ms":"MS","phases":[{"name":"lame duck","start_ms":"MS"},
{"name":"refusing","start_ms":"MS"},{"name":"draining","start_ms":"MS"}],"connections_at_signal":2,
"connections_left":1,"drained":0,"nudged":0,"forced":0,"hook":null}
END
)"
    fluxctl status "$server_pid"
    expect_match "as text" "$ctl_out" "epoll \(pid $server_pid\), draining, up"
    expect_match "as text" "$ctl_out" "stop: signal SIGTERM from pid $BASHPID, [0-9. a-z]+ ago, 1 of 2 connections left, this phase ends in [0-9.]+ s, everything in [0-9.]+ s"
}

drains() {
    fluxctl status --json "$server_pid"
    [ "$(jq '.stop.connections_left' "$work/ctl.out")" = 1 ]
}

@test "settings that differ, with where they come from; --all shows the others" {
    FLUX_IDLE=250ms start_epoll
    fluxctl status "$server_pid"
    expect_match "one that is set" "$ctl_out" 'FLUX_IDLE +250ms +environment'
    expect_equal "one that is not" "$(grep -c FLUX_LAME_DUCK "$work/ctl.out")" 0
    fluxctl status --all "$server_pid"
    expect_match "one that is not" "$ctl_out" 'FLUX_LAME_DUCK +off +default'
    fluxctl status --json "$server_pid"
    expect_equal "as JSON" "$(jq -c '.settings[] | select(.name == "FLUX_IDLE")' "$work/ctl.out")" \
        '{"name":"FLUX_IDLE","value":"250ms","origin":"environment"}'
}

@test "by the pid of a worker, it is the whole server" {
    local worker

    start_program shimmed "$FIXTURES/families" prefork 3
    wait_until_ready
    worker=$(sed -n 's/^worker //p' "$server_out" | tail -n 1)
    fluxctl status --json "$worker"
    expect_ctl 0
    expect_equal "pid" "$(jq .pid "$work/ctl.out")" "$server_pid"
    expect_equal "members" "$(jq -c '[.members[].role] | sort' "$work/ctl.out")" \
        '["member","member","member","owner"]'
}

@test "20 connections are shown, --all shows them all" {
    start_server shimmed epoll --listen tcp4
    start_inflight --slow 25 --path '/slow?ms=20000'
    fluxctl status "$server_pid"
    expect_match "rest" "$ctl_out" 'and 5 more: --all shows them'
    fluxctl status -a "$server_pid"
    expect_equal "rows" "$(grep -c 'request not answered' "$work/ctl.out")" 25
}

@test "a server with another folder, or in a chroot, is found by its pid" {
    local jail=$work/jail

    mkdir other
    FLUX_RUN_DIR=$work/other start_epoll
    fluxctl status "$server_pid"
    expect_ctl 0
    [ "$EUID" = 0 ] || return 0
    mkdir -p "$jail/run"
    cat >enters.py <<'END'
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
os.chroot(sys.argv[1])
os.chdir("/")
print("ready", flush=True)
listener.accept()
END
    FLUX_RUN_DIR=$jail/run start_program shimmed python3 enters.py "$jail"
    wait_for 10 file_has "$server_out" ready
    fluxctl status --json "$server_pid"
    expect_ctl 0
    expect_equal "pid" "$(jq .pid "$work/ctl.out")" "$server_pid"
}

@test "what can't be is said, by its own status" {
    start_server bare epoll --listen tcp4
    fluxctl status "$server_pid"
    expect_ctl 3
    expect_match "bare" "$ctl_err" "process $server_pid \(epoll\) does not run under fluxshim, or does not serve"
    fluxctl status 4194304
    expect_ctl 3
    expect_equal "none" "$ctl_err" "fluxctl: there is no process 4194304"
    for word in 0 -- -5 x '' 99999999999; do
        fluxctl status -- "$word"
        expect_ctl 2
    done
    fluxctl status
    expect_ctl 2
    fluxctl status 1 2
    expect_ctl 2
}

@test "at a terminal of 20 columns the tables don't wrap" {
    need_tmux
    start_epoll
    start_terminal 20 60 "FLUX_RUN_DIR=$FLUX_RUN_DIR $FLUXCTL status $server_pid; echo end"
    wait_for 5 screen_has '^end'
    expect_match "listeners" "$(screen)" $'\n  ADDRESS +[A-Z]*\n  127.0.0.1:[0-9]+ *[a-z]*\n'
    expect_equal "rows of the table of processes" \
        "$(screen | sed -n '/^Processes/,/^$/p' | grep -c .)" 3
}
