# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim and lib/fluxctl
# fluxctl list: the servers that are there, whatever lies beside their files.

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
}

# With a worker's connection, which its process serves.
start_prefork() {
    start_program shimmed "$FIXTURES/families" prefork 3
    wait_until_ready
    start_inflight --proto line --slow 2 --send 'slow 20000 a line' --expect 'a line'
}

counts_two() {
    fluxctl list --json
    [ "$(jq '.[0].connections.in_flight' "$work/ctl.out")" = 2 ]
}

@test "as JSON" {
    start_epoll
    wait_for 5 is_idle
    expect_ctl 0
    expect_equal "pid" "$(jq '.[0].pid' "$work/ctl.out")" "$server_pid"
    expect_golden "list --json" "$(normalized "$work/ctl.out")" "$(tr -d '\n' <<'END'
[{"pid":"PID","name":"epoll","uid":"UID","file":"FILE","phase":"running","uptime_ms":"MS","generation":0,
"members":1,"listeners":[{"address":"LOOPBACK:PORT","pid":"PID","fd":"FD","holders":"HOLDERS",
"refuses":false,"queued":0,"backlog":"BACKLOG"}],"connections":{"open":2,"in_flight":1,"idle":1,
"unknown":0,"accepted":2,"members_unreadable":0}}]
END
)"
}

is_idle() {
    fluxctl list --json
    [ "$(jq '.[0].connections.idle' "$work/ctl.out")" = 1 ]
}

@test "a server of several processes is one row, under its main process" {
    start_prefork
    wait_for 5 counts_two
    fluxctl list
    expect_ctl 0
    expect_match "table" "$ctl_out" "^ *PID +NAME +PHASE +MEMBERS +OPEN +IN FLIGHT +UP +LISTENS ON"
    expect_match "row" "$ctl_out" $'\n'" *$server_pid +families +running +4 +2 +2 +[0-9. a-z]+ +127.0.0.1:[0-9]+\$"
}

@test "nobody there: said, and no failure" {
    fluxctl list
    expect_ctl 0
    expect_equal "stdout" "$ctl_out" ""
    expect_equal "stderr" "$ctl_err" "fluxctl: no server runs under fluxshim here"
    fluxctl list --json
    expect_equal "as JSON" "$ctl_out" "[]"
    fluxctl list -q
    expect_equal "quietly" "$ctl_out$ctl_err" ""
}

@test "-q: process ids, in their order; what a killed server has left goes, what lives stays" {
    local first second

    start_epoll
    first=$server_pid
    start_epoll
    second=$server_pid
    start_epoll
    send_signal KILL
    await_exit
    expect_equal "files before" "$(find run -type f | wc -l)" 3
    fluxctl list -q
    expect_ctl 0
    expect_equal "pids" "$ctl_out" "$(printf '%s\n' "$first" "$second" | sort -n)"
    expect_equal "files after" "$(find run -type f | wc -l)" 2
}

@test "at a terminal of 20 columns nothing wraps" {
    need_tmux
    start_epoll
    start_terminal 20 20 "FLUX_RUN_DIR=$FLUX_RUN_DIR $FLUXCTL list; echo end"
    wait_for 5 screen_has '^end'
    expect_equal "rows" "$(screen | grep -c .)" 3
    expect_match "first" "$(screen | head -n 1)" 'PID +NAME +PHASE'
}

@test "names and paths that play with terminals are shown, not sent" {
    start_program shimmed python3 "$BATS_TEST_DIRNAME/fixtures/odd_names.py" "$work"
    wait_for 10 file_has "$server_out" ready
    fluxctl list
    expect_ctl 0
    expect_visible "the table" "$work/ctl.out"
    expect_match "name" "$ctl_out" '\\x1b\[31m\\x0a\\xff\\xc2\\x9b\\\\"x\\x07'
    expect_match "path" "$ctl_out" 'unix:\\x1b\]0;owned\\x07\\x0d\\x0a\\xe2\\x80\\xae'
    for command in "list --json" "status $server_pid" "status --json $server_pid" "metrics"; do
        # shellcheck disable=SC2086 # two words
        fluxctl $command
        expect_ctl 0
        expect_visible "$command" "$work/ctl.out"
        expect_equal "C1 and bidi in $command" "$(LC_ALL=C grep -caP '\xc2[\x80-\x9f]|\xe2\x80\xae' "$work/ctl.out")" 0
    done
    fluxctl list --json
    expect_equal "name as JSON" "$(jq -c '.[0].name' "$work/ctl.out")" \
        "$(jq -nc '"\u001b[31m\n\ufffd\u009b\\\"x\u0007"')"
}

@test "what isn't a family's file is left alone, and holds nothing up" {
    start_epoll
    mkfifo run/1-1
    mkdir run/1-2
    ln -s /dev/zero run/1-3
    : >run/1-4
    head -c 100 "$(find run -name "$server_pid-*")" >run/1-5
    head -c 180736 /dev/zero >run/1-6
    echo text >run/notes
    fluxctl list -q
    expect_ctl 0
    expect_equal "pids" "$ctl_out" "$server_pid"
    expect_equal "what is there" "$(find run -mindepth 1 | wc -l)" 8
}

@test "a folder that others can write to isn't believed" {
    start_epoll
    chmod 777 run
    fluxctl list -q
    chmod 755 run
    expect_equal "pids" "$ctl_out" ""
}

@test "another user sees nobody's servers" {
    [ "$EUID" = 0 ] || skip "becoming nobody needs root"
    start_epoll
    cp "$FLUXCTL" "$work/fluxctl"
    chmod 755 "$work/fluxctl" "$work"
    as_nobody list -q
    expect_equal "list" "$nobody_status $nobody_out" "0 "
    as_nobody status "$server_pid"
    expect_equal "status" "$nobody_status" 4
    expect_match "why" "$nobody_out" "is somebody else's"
    as_nobody watch "$server_pid"
    expect_equal "watch" "$nobody_status" 4
    as_nobody metrics "$server_pid"
    expect_equal "metrics" "$nobody_status" 4
}

# Leaves nobody_status and nobody_out, with what is said on stderr.
as_nobody() {
    nobody_status=0
    nobody_out=$(timeout 10 setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$work/fluxctl" "$@" 2>&1 </dev/null 3>&-) || nobody_status=$?
}

# Hostile files ----------------------------------------------------------------------------------------

# spoil MODE SEEDS: under sanitizers.
spoil() {
    make -s -C "$BATS_TEST_DIRNAME/.." BUILD="$BUILD/sanitize" \
        OPT="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" \
        "$BUILD/sanitize/fluxctl" >"$work/log" 2>&1 3>&- || { cat "$work/log"; return 1; }
    start_epoll
    timeout 60 python3 "$BATS_TEST_DIRNAME/fixtures/spoiled_families.py" "$1" \
        "$BUILD/sanitize/fluxctl" "$(find "$work/run" -name "$server_pid-*")" "$server_pid" "$2" 3>&-
}

@test "list and metrics read 400 files of garbage" {
    spoil many 400
}

@test "status, metrics and watch are of a server whose file is garbage" {
    spoil one 40
}

@test "watch goes on while its server's file changes to garbage and back, and ends" {
    spoil while 1
}
