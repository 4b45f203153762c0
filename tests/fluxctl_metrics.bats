# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim and lib/fluxctl
# fluxctl metrics: what Prometheus reads, and the file that it is given.

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
    start_inflight --slow 2 --idle 1 --path '/slow?ms=20000'
}

# The format, by a parser that allows nothing more than it; prints NAME{LABELS} VALUE, sorted.
parsed() { # FILE
    python3 "$BATS_TEST_DIRNAME/lib/check_exposition.py" "$1"
}

running() {
    fluxctl metrics "$server_pid"
    expect_ctl 0
    [ "$(value_of 'fluxshim_connections{pid="PID",name="epoll",state="idle"}')" = 1 ]
}

# value_of SAMPLE: with PID for the server's.
value_of() {
    parsed "$work/ctl.out" | grep -F -- "${1//PID/$server_pid} " | sed 's/.* //'
}

@test "a server that runs: each figure, in the format" {
    start_epoll
    wait_for 5 running
    expect_golden "samples" "$(parsed "$work/ctl.out" | sed "s/pid=\"$server_pid\"/pid=\"P\"/
        s/^\(fluxshim_start_time_seconds.*}\) [0-9.]*/\1 T/; s/version=\"[0-9.]*\"/version=\"V\"/
        s/pid=\"P\",name=\"epoll\"/EPOLL/")" "$(cat <<'END'
fluxshim_build_info{version="V"} 1
fluxshim_checkpoint_generation{EPOLL} 0
fluxshim_checkpoint_last_error{EPOLL} 0
fluxshim_checkpoint_saves_total{EPOLL} 0
fluxshim_connections_accepted_total{EPOLL} 3
fluxshim_connections{EPOLL,state="idle"} 1
fluxshim_connections{EPOLL,state="in_flight"} 2
fluxshim_connections{EPOLL,state="unknown"} 0
fluxshim_listeners_refusing{EPOLL} 0
fluxshim_listeners{EPOLL} 1
fluxshim_members{EPOLL} 1
fluxshim_phase{EPOLL,phase="checkpoint"} 0
fluxshim_phase{EPOLL,phase="draining"} 0
fluxshim_phase{EPOLL,phase="forcing"} 0
fluxshim_phase{EPOLL,phase="hooks"} 0
fluxshim_phase{EPOLL,phase="lame_duck"} 0
fluxshim_phase{EPOLL,phase="refusing"} 0
fluxshim_phase{EPOLL,phase="released"} 0
fluxshim_phase{EPOLL,phase="running"} 1
fluxshim_start_time_seconds{EPOLL} T
fluxshim_up{EPOLL} 1
END
)"
    expect_at_most "age by start_time" \
        "$(($(date +%s) - $(value_of 'fluxshim_start_time_seconds{pid="PID",name="epoll"}' | sed 's/\..*//')))" 60
}

@test "while it stops: seconds and connections that are left, refusing listeners" {
    start_epoll
    send_signal TERM
    wait_for 5 drains
    expect_equal "at signal" "$(value_of 'fluxshim_stop_connections_at_signal{pid="PID",name="epoll"}')" 3
    expect_equal "forced" "$(value_of 'fluxshim_stop_connections_forced{pid="PID",name="epoll"}')" 0
    expect_equal "phase" "$(value_of 'fluxshim_phase{pid="PID",name="epoll",phase="draining"}')" 1
    expect_equal "refusing" "$(value_of 'fluxshim_listeners_refusing{pid="PID",name="epoll"}')" 1
    expect_match "elapsed" "$(value_of 'fluxshim_stop_elapsed_seconds{pid="PID",name="epoll"}')" '^[0-9]\.[0-9]{3}$'
    expect_match "phase left" "$(value_of 'fluxshim_stop_phase_left_seconds{pid="PID",name="epoll"}')" '^2[0-9]\.[0-9]{3}$'
    expect_match "all left" "$(value_of 'fluxshim_stop_left_seconds{pid="PID",name="epoll"}')" '^5[0-9]\.[0-9]{3}$'
}

drains() {
    fluxctl metrics
    [ "$(value_of 'fluxshim_stop_connections_left{pid="PID",name="epoll"}')" = 2 ]
}

@test "all servers, or those that are named, each once; names that must be escaped" {
    start_epoll
    start_program shimmed python3 "$BATS_TEST_DIRNAME/fixtures/odd_names.py" "$work"
    wait_for 10 file_has "$server_out" ready
    start_program shimmed "$FIXTURES/families" prefork 3
    wait_until_ready
    fluxctl metrics
    expect_ctl 0
    expect_equal "servers" "$(parsed "$work/ctl.out" | grep -c '^fluxshim_up{')" 3
    expect_equal "odd name" "$(grep -cF 'name="�[31m\n��\\\"x�"' "$work/ctl.out")" "$(grep -c '�' "$work/ctl.out")"
    fluxctl metrics "$server_pid" "$(sed -n 's/^worker //p' "$server_out" | head -n 1)" "$server_pid"
    expect_ctl 0
    expect_equal "servers" "$(parsed "$work/ctl.out" | grep '^fluxshim_up{')" \
        "fluxshim_up{pid=\"$server_pid\",name=\"families\"} 1"
    expect_equal "members" "$(value_of 'fluxshim_members{pid="PID",name="families"}')" 4
    fluxctl metrics "$server_pid" 4194304
    expect_ctl 3
    expect_equal "the other one" "$(parsed "$work/ctl.out" | grep -c '^fluxshim_up{')" 1
}

@test "--output: whole, readable by all, nothing left beside it" {
    start_epoll
    fluxctl metrics --output "$work/folder/x.prom"
    expect_ctl 1
    expect_match "why" "$ctl_err" 'No such file or directory'
    mkdir folder
    echo old >folder/x.prom
    umask 077
    fluxctl metrics --output "$work/folder/x.prom"
    umask 022
    expect_ctl 0
    expect_equal "stdout" "$ctl_out" ""
    parsed folder/x.prom >samples
    expect_equal "mode" "$(stat -c %a folder/x.prom)" 644
    expect_equal "what is there" "$(ls -A folder)" x.prom
    mkdir folder/y.prom
    fluxctl metrics --output "$work/folder/y.prom"
    expect_ctl 1
    expect_equal "what is there" "$(ls -A folder)" $'x.prom\ny.prom'
}

# Readers see a whole file each time; a server that has gone is not in it any more.
@test "--interval: again and again, until SIGTERM" {
    local looks=0

    mkdir folder
    start_epoll
    timeout 30 "$FLUXCTL" metrics --interval 100ms --output "$work/folder/x.prom" \
        </dev/null >loop.out 2>&1 3>&- 4>&- &
    loop=$!
    remember_process "$loop"
    wait_for 5 file_has folder/x.prom "fluxshim_up{pid=\"$server_pid\",name=\"epoll\"} 1"
    while [ "$looks" -lt 10 ]; do
        parsed folder/x.prom >samples
        looks=$((looks + 1))
    done
    send_signal KILL
    await_exit
    wait_for 5 has_no_server folder/x.prom
    kill -TERM "$loop"
    await_process "$loop" 5
    expect_equal "status" "$process_status" 0
    expect_equal "what it said" "$(<loop.out)" ""
    expect_equal "what is there" "$(ls -A folder)" x.prom
}

has_no_server() {
    ! grep -q '^fluxshim_up' "$1" && grep -q '^fluxshim_build_info' "$1"
}

@test "what can't be is said" {
    fluxctl metrics x
    expect_ctl 2
    fluxctl metrics --interval 1s
    expect_ctl 2
    for interval in 0 99ms 25h x; do
        fluxctl metrics --interval "$interval" --output "$work/x.prom"
        expect_ctl 2
    done
    fluxctl metrics
    expect_ctl 0
    expect_equal "without a server" "$(grep -vc '^fluxshim_build_info\|^# .* fluxshim_build_info ' "$work/ctl.out")" 0
}
