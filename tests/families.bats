# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A server of several processes is one: it drains as a whole, or one member of it alone.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export HOOK_NOTES=$work/notes
}

teardown() {
    end_families
    fluxshim_teardown
}

AT_ONCE=6 # they mostly wait

# A master that was killed leaves its workers behind.
end_families() {
    local pid

    while read -r _ pid; do
        [ ! -e "/proc/$pid" ] || [ "$(readlink "/proc/$pid/exe")" != "$FIXTURES/families" ] ||
            kill -KILL "$pid" 2>/dev/null || :
    done < <(cat "$work"/server.*.out 2>/dev/null | grep -E '^(worker|daemon) [0-9]+$')
}

# start_family bare|shimmed KIND ARGUMENT...: with a hook and a checkpoint of its own; leaves $state
# and $leader, who gets the signals.
start_family() {
    local mode=$1

    state=$work/state.$BASHPID
    export HOOK_NOTES=$work/notes.$BASHPID
    rm -f "$state" "$HOOK_NOTES"
    FLUX_CHECKPOINT=$state FLUX_HOOKS=$BUILD/tests/hooks/note.so \
        start_program "$mode" "$FIXTURES/families" "${@:2}"
    wait_for 10 file_has "$server_out" ready
    read_addresses
    leader=$(sed -n 's/^daemon //p' "$server_out")
    leader=${leader:-$server_pid}
}

# ask COUNT MS: slow lines, and all of them are being served.
ask() {
    start_inflight --proto line --slow "$1" --send "slow $2 a line" --expect 'a line'
    wait_for 10 "${3:-all_are_served}" "$1"
}

all_are_served() {
    [ "$(grep -c '^serving ' "$server_out")" -ge "$1" ]
}

some_are_served() {
    all_are_served 1
}

# The leader's exit, as far as a shell can see it: a daemon is no child of it.
stop_family() {
    send_signal TERM "$leader"
    if [ "$leader" = "$server_pid" ]; then
        await_exit
    else
        wait_for 20 is_gone "$leader"
        read_clock
        exit_status=gone exit_ms=$(((now_us - signal_us) / 1000))
    fi
}

is_gone() {
    ! is_running "$1"
}

members() { # JQ_FILTER
    checkpoint_value "$state" "[.members[] | $1] | tostring"
}

workers_are_gone() {
    local pid

    for pid in $(sed -n 's/^worker //p; s/^serving //p' "$server_out"); do
        [ "$pid" = 1 ] || is_gone "$pid" || return # 1: in a pid namespace of its own
    done
}

expect_one_cleanup() {
    expect_equal "runs of the hook" "$(wc -l <"$HOOK_NOTES")" 1
    expect_equal "hooks in the checkpoint" "$(checkpoint_value "$state" '.hooks | length')" 1
}

expect_all_drained() { # COUNT
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_one_cleanup
    expect_equal "drained" "$(checkpoint_value "$state" .connections.drained)" "$1"
    expect_equal "forced" "$(checkpoint_value "$state" .connections.forced)" 0
    wait_for 2 workers_are_gone
}

# The whole family ---------------------------------------------------------------------------------

drains_family() { # STATUS KIND ARGUMENT...
    start_family shimmed "${@:2}"
    ask 8 700 some_are_served
    stop_family
    await_client
    expect_equal "exit status" "$exit_status" "$1"
    expect_all_drained 8
    expect_equal "signals that workers saw, but for SIGTERM" \
        "$(grep '^signal ' "$server_out" | grep -vx 'signal 15' || :)" ""
}

@test "8 requests in flight finish, whoever serves them" {
    in_parallel "$AT_ONCE" drains_family <<END
7 prefork 4
7 prefork 8
7 prefork-poll 8
7 prefork-sigwait 8
7 prefork-takers 16
7 reuseport 4
7 reuseport-own 8
143 forking
143 handler
143 vforking
143 spawning
gone daemon-after
gone daemon-by-libc
gone daemon-before
gone daemon-prefork 4
143 bystanders 3
END
}

@test "8 requests in flight finish over AF_UNIX" {
    in_parallel "$AT_ONCE" drains_family <<END
7 prefork 8 unix:$work/1
7 prefork-poll 8 unix:$work/2
143 forking unix:$work/3
143 handler unix:$work/4
END
}

# The queue is nobody's table: its only worker takes one after the other.
@test "requests in the queue finish when the only worker is busy" {
    in_parallel "$AT_ONCE" drains_queue <<END
prefork 1
prefork-poll 1
prefork 1 unix:$work/1
prefork-poll 1 unix:$work/2
END
}

drains_queue() { # KIND ARGUMENT...
    start_family shimmed "$@"
    ask 4 400 some_are_served
    stop_family
    await_client
    expect_equal "exit status" "$exit_status" 7
    expect_all_drained 4
}

# Its children ask who leads when they end, before it has ever asked itself.
@test "a daemon leads, whatever its children have done before" {
    start_family shimmed daemon-forking
    for _ in 1 2 3; do
        "$TOOLS/inflight" --connect "$server_address" --proto line --slow 1 --send 'slow 1 a line' \
            --expect 'a line' 3>&-
    done
    ask 7 700 some_are_served
    stop_family
    await_client
    expect_all_drained 7
    expect_equal "leader in the checkpoint" \
        "$(checkpoint_value "$state" '.members[] | select(.role == "owner") | .pid')" "$leader"
}

# Copies ---------------------------------------------------------------------------------------------

@test "a master's own copy of what a child serves is neither awaited nor nudged" {
    FLUX_IDLE=100ms start_family shimmed forking-in-turn
    ask 1 1500
    stop_family
    await_client
    expect_equal "exit status" "$exit_status" 143
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_at_least "ms to the exit" "$exit_ms" 1000
    expect_at_most "ms to the exit" "$exit_ms" 2500
}

@test "copies that a child never uses are neither awaited nor nudged" {
    FLUX_IDLE=100ms start_family shimmed snapshot
    "$TOOLS/inflight" --connect "$server_address" --proto line --slow 1 --send 'slow 0 a line' \
        --expect 'a line' --deadline 1 3>&- || : # that child keeps its copy, too
    ask 1 1500
    stop_family
    expect_equal "exit status" "$exit_status" 143
    expect_at_least "ms to the exit" "$exit_ms" 1000
    expect_at_most "ms to the exit" "$exit_ms" 2500
    end_families
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
}

# Under churn: figures beside the bare run's.
churns() { # KIND ARGUMENT...
    local i mode figures=() lost

    for mode in bare shimmed; do
        lost=0
        for ((i = 0; i < STOPS; i++)); do
            start_family "$mode" "$@"
            start_client churn --connect "$server_address" --proto line --send 'slow 0 a line' \
                --expect 'a line' --threads 4 --until-refused
            wait_for 10 has_worked
            stop_family
            await_client
            expect_match "client" "$client_last" '^ok [0-9]+ refused [0-9]+ lost [0-9]+'
            read -r _ _ _ _ _ one_lost _ <<<"$client_last"
            lost=$((lost + one_lost))
            end_families
        done
        figures+=("$mode lost $lost")
    done
    echo "$*: $STOPS stops: ${figures[*]}" >>"$work/figures"
    expect_equal "lost" "$lost" 0
    expect_equal "stderr" "$(<"$server_err")" ""
}

has_worked() {
    # shellcheck disable=SC2046 # one word a pid
    have_worked "$leader" $(sed -n 's/^worker //p' "$server_out")
}

STOPS=${FLUX_TEST_STOPS:-2}

@test "no connection is lost under churn" {
    in_parallel 1 churns <<END
prefork 3
prefork-poll 3
forking
prefork 3 unix:$work/1
prefork-poll 3 unix:$work/2
END
    note "$(<"$work/figures")"
}

# One member ------------------------------------------------------------------------------------------

first_worker() {
    sed -n '/^worker /{s///;p;q}' "$server_out"
}

# Its request finishes, its siblings go on accepting, and the master replaces it.
@test "a stop of one worker drains it alone" {
    local kind worker

    for kind in prefork prefork-poll; do
        start_family shimmed "$kind" 2
        ask 2 700
        worker=$(first_worker)
        send_signal TERM "$worker"
        "$TOOLS/inflight" --connect "$server_address" --proto line --slow 3 --send 'slow 0 a line' \
            --expect 'a line' 3>&-
        wait_for 5 is_gone "$worker"
        await_client
        expect_equal "client: $client_last; status" "$client_status" 0
        [ ! -e "$HOOK_NOTES" ]
        [ ! -e "$state" ]
        "$TOOLS/inflight" --connect "$server_address" --proto line --slow 3 --send 'slow 0 a line' \
            --expect 'a line' 3>&-
        stop_family
        expect_equal "exit status" "$exit_status" 7
        expect_equal "stderr" "$(<"$server_err")" ""
        expect_one_cleanup
    done
}

# stops_workers_under_churn KIND: 10 times.
stops_workers_under_churn() {
    local i worker

    start_family shimmed "$1" 2
    start_client churn --connect "$server_address" --proto line --send 'slow 0 a line' \
        --expect 'a line' --threads 4 --seconds 4
    for ((i = 0; i < 10; i++)); do
        wait_for 5 workers_began $((i + 2))
        [ "$1" != reuseport-own ] || wait_for 5 workers_listen $((i + 2))
        worker=$(sed -n 's/^worker //p' "$server_out" | tail -n 1)
        send_signal TERM "$worker"
        wait_for 5 is_gone "$worker"
    done
    await_client
    expect_match "client" "$client_last" '^ok [0-9]+ refused 0 lost 0 timeout 0'
    note "$1: $client_last"
    stop_family
    expect_equal "exit status" "$exit_status" 7
}

workers_began() {
    [ "$(grep -c '^worker ' "$server_out")" -ge "$1" ]
}

@test "no connection is lost when workers are stopped under churn" {
    stops_workers_under_churn prefork-poll
    stops_workers_under_churn prefork
    stops_workers_under_churn reuseport-own
}

workers_listen() {
    [ "$(grep -cx listens "$server_out")" -ge "$1" ]
}

# The shim's own thread has the signal open as well, until it is the program's.
@test "a master's signal is handled in the worker's own threads" {
    start_family shimmed prefork-takers 32
    stop_family
    expect_equal "exit status" "$exit_status" 7
    expect_equal "where" "$(grep '^handled' "$server_out" | sort | uniq -c | xargs)" "32 handled in taker"
}

# As bare: the request is lost, and at once.
@test "a signal from inside the family is not held" {
    local began

    for mode in bare shimmed; do
        start_family "$mode" prefork 1
        ask 1 3000
        read_clock
        began=$now_us
        send_signal USR1
        wait_for 5 is_gone "$(first_worker)"
        read_clock
        expect_at_most "ms to the worker's end" $(((now_us - began) / 1000)) 500
        await_client
        expect_match "client" "$client_last" 'slow ok 0 of 1'
        wait_for 5 workers_began 2
        stop_family
        expect_equal "exit status" "$exit_status" 7
    done
}

@test "a signal to the whole group ends in one drain, one run of the hooks, one checkpoint" {
    local kind

    for kind in "prefork 4" "prefork-poll 4" forking; do
        # shellcheck disable=SC2086
        start_family shimmed $kind
        ask 4 700
        send_signal_to_all TERM
        await_exit
        await_client
        expect_equal "exit status" "$exit_status" "$([ "$kind" = forking ] && echo 143 || echo 7)"
        expect_all_drained 4
    done
}

# All of them are in the shell's process group.
send_signal_to_all() {
    local pids

    mapfile -t pids < <(sed -n 's/^worker //p; s/^serving //p' "$server_out" | sort -u)
    read_clock
    signal_us=$now_us
    kill -s "$1" "$server_pid" "${pids[@]}" 2>/dev/null || :
}

# Whatever happens to them --------------------------------------------------------------------------

drains_without() { # KILL|STOP KIND
    start_family shimmed "$2" 3
    ask 3 1500
    send_signal TERM
    kill -s "$1" "$(first_worker)"
    await_exit
    await_client
    expect_match "client" "$client_last" 'slow ok 2 of 3'
    expect_equal "exit status" "$exit_status" 7
    expect_one_cleanup
}

@test "a worker that is killed in the drain: the others' requests finish, and it isn't waited for" {
    drains_without KILL prefork
    expect_at_most "ms to the exit" "$exit_ms" 2500
}

@test "an owner that is killed in the drain: requests finish, and no worker stays behind" {
    FLUX_LOG=debug:$work/log start_family shimmed prefork 2
    ask 2 1500
    send_signal TERM
    wait_for 2 all_three_drain
    kill -s KILL "$server_pid"
    await_exit
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    wait_for 5 workers_are_gone
}

all_three_drain() {
    [ "$(grep -c 'state: drain' "$work/log")" = 3 ]
}

@test "a worker killed before the stop isn't waited for" {
    start_family shimmed forking
    ask 1 3000
    kill -s KILL "$(sed -n 's/^serving //p' "$server_out")"
    stop_family
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 500
}

# A program with a connection is waited for by its pid, and nobody has said that it ended.
@test "a stranger with the pid of one that has gone isn't waited for" {
    local program

    start_family shimmed handler
    ask 1 5000
    program=$(sed -n 's/^serving //p' "$server_out")
    kill -KILL "$program"
    wait_for 5 has_no_process "$program"
    start_client same_pid "$program" sleep 60
    wait_for 5 stranger_is_there
    [ ! -s "$client_err" ] || skip "no process can be given a pid here: $(<"$client_err")"
    stop_family
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 2000
    is_running "$program"
    kill -KILL "$client_pid"
}

has_no_process() {
    [ ! -e "/proc/$1" ]
}

stranger_is_there() {
    file_has "$client_out" made || [ -s "$client_err" ]
}

@test "a worker that is stopped (SIGSTOP): the drain ends at its deadline, and it is told" {
    FLUX_DRAIN_TIMEOUT=1s start_family shimmed forking
    ask 1 3000
    kill -s STOP "$(sed -n 's/^serving //p' "$server_out")"
    stop_family
    expect_equal "exit status" "$exit_status" 143
    expect_at_least "ms to the exit" "$exit_ms" 990
    expect_at_most "ms to the exit" "$exit_ms" 1500
    expect_match "stderr" "$(<"$server_err")" 'warning: process [0-9]+ did not answer: given up'
    expect_equal "status" "$(members 'select(.role == "member") | .status')" '["not told"]'
    kill -s KILL "$(sed -n 's/^serving //p' "$server_out")"
}

@test "workers in a sandbox: their requests finish" {
    start_family shimmed sandboxed 3
    ask 3 700
    stop_family
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 7
    expect_at_most "ms to the exit" "$exit_ms" 2000
}

# As services do it. In there is neither /proc nor, if the main process is, the checkpoint's folder.
@test "a family in a chroot, without privileges" {
    local kind

    export CONFINED_TO=$work/jail
    mkdir -m 755 "$CONFINED_TO"
    for kind in confined confined-workers; do
        start_family shimmed "$kind" 8
        ask 8 700
        stop_family
        await_client
        expect_equal "client of $kind: $client_last; status" "$client_status" 0
        expect_equal "exit status" "$exit_status" 7
        wait_for 2 workers_are_gone
        if [ "$kind" = confined ]; then
            expect_match "stderr" "$(<"$server_err")" 'checkpoint'
        else
            expect_all_drained 8
        fi
    done
}

@test "a worker in a pid namespace of its own" {
    unshare --pid --fork true 2>/dev/null || skip "no privilege for a pid namespace"
    start_family shimmed namespaces
    ask 1 700
    stop_family
    await_client
    expect_all_drained 1
}

@test "children that fork until nothing more can be had: the drain ends within its deadline" {
    local uid=54321

    [ "$(id -u)" = 0 ] || skip "no privilege to become a user with few processes"
    state=$work/open/state
    mkdir -m 777 "$work/open"
    FLUX_DRAIN_TIMEOUT=4s FLUX_CHECKPOINT=$state start_program shimmed prlimit --nproc=300 \
        setpriv --reuid="$uid" --regid="$uid" --clear-groups "$FIXTURES/families" bombing
    wait_until_ready
    ask 1 1500
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 4500
    wait_for 10 no_process_of "$uid"
}

no_process_of() {
    ! ps -o pid= -U "$1" >/dev/null
}

@test "no shared memory: each process drains alone, and it is told" {
    local kind

    start_program shimmed "$FIXTURES/deny" shared-memory "$FIXTURES/families" prefork 3
    wait_until_ready
    ask 3 700
    # to each of them, as a master would: this one would stop its workers at once
    mapfile -t pids < <(sed -n 's/^worker //p' "$server_out")
    kill -s TERM "${pids[@]}"
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_match "stderr" "$(<"$server_err")" 'warning: no family of processes .*: each of them drains alone'
    kill -s KILL "$server_pid"
    await_exit
}

@test "memory full of garbage: the drain ends within its deadline" {
    FLUX_DRAIN_TIMEOUT=2s start_family shimmed scribbling 2
    ask 2 500
    stop_family
    await_client
    expect_equal "exit status" "$exit_status" 7
    expect_at_most "ms to the exit" "$exit_ms" 3000
}

@test "workers made by clone(2), by name or by number, drain" {
    local kind

    for kind in clone clone-function; do
        start_family shimmed "$kind" 3
        ask 3 700
        stop_family
        await_client
        expect_equal "exit status" "$exit_status" 7
        expect_all_drained 3
    done
}

# Two servers of a supervisor that never listens itself.
@test "a supervisor's servers are not one family" {
    local script

    # shellcheck disable=SC2016
    script='
        FLUX_CHECKPOINT=$2/1 "$1" prefork 2 & first=$!
        FLUX_CHECKPOINT=$2/2 "$1" prefork 2 & second=$!
        trap : TERM
        wait; kill -TERM $first; wait $first; echo "first $?"
        kill -0 $second && echo "second is alive"
        kill -TERM $second; wait $second; echo "second $?"'
    start_program shimmed bash -c "$script" bash "$FIXTURES/families" "$work"
    wait_for 10 both_are_ready
    stop_and_wait
    expect_match "output" "$(tr '\n' ' ' <"$server_out")" 'first 7 second is alive second 7 $'
    for state in "$work/1" "$work/2"; do
        expect_equal "members" "$(members .role)" '["owner","member","member"]'
    done
    expect_equal "stderr" "$(<"$server_err")" ""
}

both_are_ready() {
    [ "$(grep -c '^ready$' "$server_out")" = 2 ]
}

@test "1000 workers" {
    start_family shimmed prefork 1000
    ask 8 700
    stop_family
    await_client
    expect_equal "exit status" "$exit_status" 7
    expect_all_drained 8
}

@test "connections passed to another process finish there" {
    start_family shimmed passing 3
    ask 3 700
    stop_family
    await_client
    expect_equal "exit status" "$exit_status" 7
    expect_all_drained 3
}

# Reload ------------------------------------------------------------------------------------------------

reloads() { # PREFIX... -- ARGUMENT...
    local prefix=()

    while [ "$1" != -- ]; do
        prefix+=("$1")
        shift
    done
    shift
    FLUX_SHUTDOWN_TIMEOUT=3s FLUX_HOOK_TIMEOUT=1s FLUX_DRAIN_TIMEOUT=2s \
        start_program shimmed "${prefix[@]}" "$FIXTURES/families" reloading "$@"
    wait_until_ready
    ask 1 700
    send_signal TERM
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    wait_for 5 file_has "$server_out" reloaded
    "$TOOLS/inflight" --connect "$server_address" --proto line --slow 1 --send 'slow 3000 a line' \
        --expect 'a line' 3>&- # longer than the shutdown timeout of the one before
    expect_equal "stderr" "$(<"$server_err")" ""
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
}

@test "a program that execs itself serves on, privileged or not, over TCP and AF_UNIX" {
    local unprivileged=(env)

    if [ "$(id -u)" = 0 ]; then
        unprivileged=(setpriv --bounding-set=-all --inh-caps=-all)
    fi
    mkdir -m 777 "$work/open"
    reloads "${unprivileged[@]}" --
    reloads env --
    reloads env -- unix:"$work/open/1"
    reloads "${unprivileged[@]}" -- unix:"$work/open/2"
}

@test "an owner that execs itself: as bare, after an exec that fails and with more than its stack has room for" {
    export FLUX_RUN_DIR=$work/run
    same_as_bare "$FIXTURES/reexec"
}

@test "an idle connection of a worker that has a program beside it doesn't hold the drain" {
    start_program shimmed python3 "$BATS_TEST_DIRNAME/fixtures/helped_worker.py"
    wait_until_ready
    start_inflight --proto line --idle 1
    stop_and_wait
    expect_equal "exit status" "$exit_status" 0
    expect_at_most "ms to the exit" "$exit_ms" 5000
    expect_equal "stderr" "$(<"$server_err")" ""
}
