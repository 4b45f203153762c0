# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl stop, checkpoint, drain and resume: a server is asked, and does what it would do for a signal.

load lib/fluxshim
load lib/fixtures
load lib/fluxctl

setup() {
    fluxctl_setup
}

teardown() {
    fluxctl_teardown
}

# A family of processes, and COUNT lines that each take MS, being served.
start_prefork() { # COUNT MS
    start_program shimmed "$FIXTURES/families" prefork 3
    wait_until_ready
    start_inflight --proto line --slow "$1" --send "slow $2 a line" --expect 'a line'
    wait_for 10 are_served "$1"
}

are_served() {
    [ "$(grep -c '^serving ' "$server_out")" -ge "$1" ]
}

# Stopping ----------------------------------------------------------------------------------------

stops() { # SERVER STYLE STATUS CONNECTIONS
    start_server shimmed "$1" --signal "$2"
    start_inflight --slow "$4" --path '/slow?ms=600'
    new_name stop
    ctl_status=0
    "$BUILD/fluxctl" stop --wait "$server_pid" >"$name" 2>&1 3>&- || ctl_status=$?
    await_exit
    await_client
    expect_equal "clients: $client_last; status" "$client_status" 0
    expect_equal "status of fluxctl" "$ctl_status" 0
    expect_match "what it says" "$(<"$name")" "^ended after .*: $4 finished, 0 cut off\$"
    expect_equal "exit status" "$exit_status" "$3"
}

@test "stop: what is in flight finishes, and the server ends as SIGTERM would end it" {
    in_parallel 4 stops <<END
single default 143 1
threaded default 143 4
epoll default 143 4
epoll siginfo 7 4
poll default 143 4
threaded sigwait 7 4
END
}

@test "stop: the checkpoint says that it was asked for" {
    FLUX_CHECKPOINT=$work/state start_server shimmed epoll
    fluxctl stop "$server_pid"
    expect_ctl 0
    await_exit
    expect_equal "exit status" "$exit_status" 143
    expect_equal "reason" "$(checkpoint_value "$work/state" .reason)" demand
}

@test "stop: of a family, by the pid of any of its members, is the family's" {
    start_prefork 3 600
    fluxctl stop --wait "$(sed -n 's/^worker //p' "$server_out" | tail -n 1)"
    expect_ctl 0
    expect_match "what it says" "$ctl_out" ': 3 finished, 0 cut off$'
    await_exit
    await_client
    expect_equal "clients: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 7
}

@test "stop --drain: another time than the server's own, for this stop only" {
    FLUX_DRAIN_TIMEOUT=20s start_server shimmed epoll
    start_inflight --slow 2 --path '/slow?ms=9000'
    read_clock
    signal_us=$now_us
    fluxctl stop --drain 300ms --wait "$server_pid"
    await_exit
    await_client
    expect_ctl 6
    expect_match "what it says" "$ctl_out" ': 0 finished, 2 cut off$'
    expect_at_most "ms" "$exit_ms" 2000
    expect_equal "exit status" "$exit_status" 143
}

@test "stop --drain: the members of a family keep to it, too" {
    FLUX_DRAIN_TIMEOUT=400ms start_prefork 3 1200
    fluxctl stop --drain 10s --wait "$server_pid"
    await_exit
    await_client
    expect_ctl 0
    expect_equal "clients: $client_last; status" "$client_status" 0
}

@test "stop --now: nothing is waited for" {
    start_server shimmed threaded
    start_inflight --slow 2 --path '/slow?ms=9000'
    fluxctl stop --now --wait "$server_pid"
    await_exit
    await_client
    expect_ctl 6
    expect_match "what it says" "$ctl_out" ': 0 finished, 2 cut off$'
    expect_equal "exit status" "$exit_status" 143
}

@test "stop --now: ends a drain that is under way, whoever began it" {
    start_server shimmed epoll
    start_inflight --slow 2 --path '/slow?ms=9000'
    send_signal TERM
    wait_for 5 is_refused
    fluxctl stop "$server_pid"
    expect_ctl 0
    expect_match "what it says" "$ctl_err" 'stopping already'
    fluxctl stop --now --wait "$server_pid"
    expect_ctl 6
    await_exit
    await_client
    expect_equal "exit status" "$exit_status" 143
}

@test "stop --timeout: says that it has not ended, and lets it go on" {
    start_server shimmed epoll
    start_inflight --slow 2 --path '/slow?ms=1500'
    fluxctl stop --wait --timeout 100ms "$server_pid"
    expect_ctl 5
    await_exit
    await_client
    expect_equal "clients: $client_last; status" "$client_status" 0
}

@test "stop: a server that ignores its signals goes on, and the next one's drain is its own" {
    start_program shimmed env --ignore-signal=TERM --ignore-signal=INT "$SERVERS/epoll"
    wait_until_ready
    fluxctl stop --drain 1ms "$server_pid"
    expect_ctl 1
    expect_match "what it says" "$ctl_err" 'does not stop'
    knock "$server_address"
    expect_equal "a connect" "$knock_result" accepted
    expect_equal "what was asked" "$("$BUILD/fluxctl" status "$server_pid" --json | jq -r .phase)" running
}

# Checkpoints -------------------------------------------------------------------------------------

checkpoints() { # SERVER CONNECTIONS
    local state=$work/state.$BASHPID

    FLUX_CHECKPOINT=$state start_server shimmed "$1"
    start_inflight --slow "$2" --path '/slow?ms=1500'
    for generation in 1 2; do
        expect_equal "what it says" "$("$BUILD/fluxctl" checkpoint "$server_pid" 3>&-)" \
            "$state: generation $generation"
        expect_equal "generation" "$(checkpoint_value "$state" .generation)" "$generation"
        expect_equal "reason" "$(checkpoint_value "$state" .reason)" request
        expect_equal "open" "$(checkpoint_value "$state" .connections.open)" "$2"
    done
    stop_and_wait
    await_client
    expect_equal "clients: $client_last; status" "$client_status" 0
}

@test "checkpoint: it is on disk when the command returns" {
    in_parallel 4 checkpoints <<END
single 1
threaded 2
epoll 2
select 2
END
}

@test "checkpoint: says why there is none" {
    start_server shimmed epoll
    fluxctl checkpoint "$server_pid"
    expect_ctl 1
    expect_match "not set" "$ctl_err" 'FLUX_CHECKPOINT is not set'
    stop_and_wait
    mkdir "$work/folder"
    FLUX_CHECKPOINT=$work/folder/state start_server shimmed epoll
    rm -r "$work/folder"
    fluxctl checkpoint "$server_pid"
    expect_ctl 1
    expect_match "no folder" "$ctl_err" 'could not be written: No such file'
}

# Drain and resume ----------------------------------------------------------------------------------

drains_and_resumes() { # STATUS SERVER OPTION... | STATUS families
    local status=$1

    shift
    if [ "$1" = families ]; then
        start_prefork 3 1500
    else
        start_server shimmed "$@"
        start_inflight --slow 4 --path '/slow?ms=1500'
    fi
    for _ in 1 2; do
        "$BUILD/fluxctl" drain "$server_pid" 3>&-
        knock "$server_address"
        expect_equal "a connect while it drains" "$knock_result" refused
        "$BUILD/fluxctl" resume "$server_pid" 3>&-
        knock "$server_address"
        expect_equal "a connect after that" "$knock_result" accepted
    done
    await_client
    expect_equal "clients: $client_last; status" "$client_status" 0
    "$BUILD/fluxctl" drain "$server_pid" 3>&-
    stop_and_wait
    expect_equal "exit status" "$exit_status" "$status"
}

@test "drain and resume: refused and accepted again, and nobody is lost" {
    [ "$(id -u)" = 0 ] || skip "taking a refusal back needs CAP_NET_RAW"
    in_parallel 4 drains_and_resumes <<END
143 epoll
143 epoll --listen tcp6
143 threaded
7 families
END
}

@test "drain: under churn nothing is lost" {
    [ "$(id -u)" = 0 ] || skip "taking a refusal back needs CAP_NET_RAW"
    start_server shimmed epoll
    start_client churn --connect "$server_address" --threads 2 --until-refused
    wait_for 10 have_worked "$server_pid"
    fluxctl drain "$server_pid"
    expect_ctl 0
    await_client
    expect_match "clients" "$client_last" '^ok [1-9][0-9]* refused [1-9][0-9]* lost 0 '
}

@test "drain: says of an AF_UNIX listener that it is left as it is" {
    start_server shimmed epoll --listen "unix:$work/socket"
    fluxctl drain "$server_pid"
    expect_ctl 1
    expect_match "what it says" "$ctl_err" 'left as it is: only TCP'
    knock "$server_address"
    expect_equal "a connect" "$knock_result" accepted
}

@test "drain: without the right to take it back it is not done unasked" {
    local unprivileged=(setpriv --inh-caps=-all --bounding-set=-net_raw)

    [ "$(id -u)" = 0 ] || skip "dropping a capability needs root"
    start_server shimmed epoll
    ctl_status=0
    ctl_err=$("${unprivileged[@]}" "$BUILD/fluxctl" drain "$server_pid" 2>&1 3>&-) || ctl_status=$?
    expect_ctl 4
    expect_match "what it says" "$ctl_err" 'CAP_NET_RAW'
    knock "$server_address"
    expect_equal "a connect" "$knock_result" accepted
    "${unprivileged[@]}" "$BUILD/fluxctl" drain --for-good "$server_pid" 3>&-
    knock "$server_address"
    expect_equal "a connect" "$knock_result" refused
    fluxctl resume "$server_pid" # root may
    expect_ctl 0
}

# Bad input -----------------------------------------------------------------------------------------

@test "a pid that is none, is nobody's, or is another program's" {
    local command

    for command in stop checkpoint drain resume status; do
        fluxctl "$command"
        expect_ctl 2
        fluxctl "$command" 12x
        expect_ctl 2
        fluxctl "$command" 0
        expect_ctl 2
        fluxctl "$command" 4194303
        expect_ctl 3
        fluxctl "$command" $$
        expect_ctl 3
        expect_match "what it says" "$ctl_err" 'does not run under fluxshim'
    done
}

@test "wishes that can't be" {
    FLUX_SHUTDOWN_TIMEOUT=20s start_server shimmed epoll
    fluxctl stop --drain 21s "$server_pid"
    expect_ctl 2
    fluxctl stop --drain soon "$server_pid"
    expect_ctl 2
    fluxctl stop --drain 1s --now "$server_pid"
    expect_ctl 2
    knock "$server_address"
    expect_equal "a connect" "$knock_result" accepted
}

@test "a server that dies under the command" {
    FLUX_CHECKPOINT=$work/state start_server shimmed epoll
    start_inflight --slow 2 --path '/slow?ms=9000'
    "$BUILD/fluxctl" stop --wait "$server_pid" >"$work/said" 2>&1 3>&- &
    ctl=$!
    remember_process "$ctl"
    wait_for 5 is_refused
    kill -KILL "$server_pid"
    await_process "$ctl" 5
    expect_match "status" "$process_status" '^[06]$'
    fluxctl stop "$server_pid"
    expect_ctl 3
}

# A member without privileges can write anything into the family's memory; root must not signal for it.
@test "a file that names a stranger: he is not signalled" {
    sleep 60 3>&- &
    victim=$!
    remember_process "$victim"
    start_server shimmed epoll
    file=$(echo "$FLUX_RUN_DIR"/*-*)
    python3 - "$file" "$victim" "$server_pid" <<'END'
import struct, sys
path, victim, server = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(path, "r+b") as family:
    bytes = family.read(4096)
    at = bytes.index(struct.pack("<i", server))  # the owner's slot
    family.seek(at)
    family.write(struct.pack("<i", victim))
END
    fluxctl stop "$victim"
    expect_ctl 3
    expect_match "what it says" "$ctl_err" 'not what its file says'
    is_running "$victim"
}

@test "somebody else's server" {
    [ "$(id -u)" = 0 ] || skip "acting as somebody else needs root"
    chmod 755 "$work" "$FLUX_RUN_DIR"
    start_server shimmed epoll
    for command in stop status checkpoint drain; do
        ctl_status=0
        ctl_err=$(setpriv --reuid=65534 --regid=65534 --clear-groups \
            "$BUILD/fluxctl" "$command" "$server_pid" 2>&1 3>&-) || ctl_status=$?
        expect_match "$command: $ctl_err; status" "$ctl_status" '^[34]$'
    done
    knock "$server_address"
    expect_equal "a connect" "$knock_result" accepted
}
