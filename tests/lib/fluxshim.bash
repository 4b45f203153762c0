# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034 # results are left in variables for the tests
# What all bats files share: servers with and without the shim, clients, conditions, comparisons.
#
#   load lib/fluxshim
#   setup() { fluxshim_setup; }
#   teardown() { fluxshim_teardown; }
#
#   @test "a slow request finishes" {
#       FLUX_IDLE=200ms start_server shimmed epoll --listen tcp4
#       start_client inflight --connect "$server_address" --slow 2 --path '/slow?ms=300'
#       wait_for 5 client_has_sent
#       stop_and_wait TERM
#       await_client
#       expect_equal "exit status" "$exit_status" 143
#       expect_equal "client" "$client_status" 0
#   }
#
# Functions leave their results in variables, named in each comment: they must not be called in
# $(...), for then the shell could not wait for what they start. What was started and is still there
# is ended by fluxshim_teardown, by its pid. A function that works on "the server" or "the client"
# means the one started last; a test with several keeps the variables, or works in subshells.

BUILD=${BUILD:-$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)/build}
SHIM=$BUILD/libfluxshim.so
SERVERS=$BUILD/tests/servers
TOOLS=$BUILD/tests/tools

# Setup and teardown ------------------------------------------------------------------------------

# Each test has a folder of its own, $work. Settings of the caller's environment don't reach it.
fluxshim_setup() {
    local name

    work=$BATS_TEST_TMPDIR
    for name in "${!FLUX_@}"; do
        [[ $name == FLUX_TEST_* ]] || unset "$name"
    done
    mkfifo "$work/never" # what is read from it never comes
    cd "$work" || return
}

fluxshim_teardown() {
    end_what_was_started
    every_checkpoint_is_valid
}

# Against the schema, each file in the test's folder that says it is a checkpoint and is JSON.
every_checkpoint_is_valid() {
    local files

    mapfile -t files < <(grep -lrIs --devices=skip '"schema":[[:space:]]*"fluxshim/1"' "$work")
    [ "${#files[@]}" -eq 0 ] ||
        python3 "${BASH_SOURCE[0]%/*}/check_checkpoints.py" \
            "${BASH_SOURCE[0]%/*}/../../shim/fluxshim-checkpoint.schema.json" "${files[@]}"
}

end_what_was_started() {
    local pid start

    [ -e "$work/started" ] || return 0
    while read -r pid start; do
        stat_field "$pid" 22
        [ -z "$start" ] || [ "$field" != "$start" ] || kill -KILL "$pid" 2>/dev/null || :
    done <"$work/started"
}

# stat_field PID N: leaves field N (from 1) of /proc/PID/stat in $field, empty if it is gone.
stat_field() {
    local line fields

    field=
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    read -ra fields <<<"${line##*) }"
    field=${fields[$2 - 3]}
}

# To be ended by fluxshim_teardown. A pid is used again, with its start time it is not.
remember_process() {
    stat_field "$1" 22
    echo "$1 $field" >>"$work/started"
}

# Conditions --------------------------------------------------------------------------------------

# Leaves $now_us.
read_clock() {
    now_us=${EPOCHREALTIME/[.,]/}
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails, and says so, at the deadline.
wait_for() {
    local seconds=$1 deadline

    shift
    read_clock
    deadline=$((now_us + seconds * 1000000))
    until "$@"; do
        read_clock
        if [ "$now_us" -ge "$deadline" ]; then
            echo "not within $seconds s: $*"
            return 1
        fi
        read -rt 0.01 <>"$work/never" || :
    done
}

# file_has FILE LINE: the file has this whole line.
file_has() {
    local lines

    { mapfile -t lines <"$1"; } 2>/dev/null || return
    [[ " ${lines[*]/%/$'\n'}" == *" $2"$'\n'* ]]
}

# False once it is gone, and also while it is a zombie.
is_running() {
    stat_field "$1" 3
    [ -n "$field" ] && [ "$field" != Z ]
}

# have_worked PID...: 50 ms of CPU time in all of them.
have_worked() {
    local pid ticks=0

    for pid in "$@"; do
        stat_field "$pid" 14
        ticks=$((ticks + ${field:-0}))
        stat_field "$pid" 15
        ticks=$((ticks + ${field:-0}))
    done
    [ "$ticks" -ge 5 ]
}

# Servers -----------------------------------------------------------------------------------------

# start_server bare|shimmed NAME ARGUMENT...: starts tests/servers/NAME and waits until it is ready.
# FLUX_* of the environment apply. Leaves server_pid, server_out and server_err (files),
# server_addresses (array, as the tools take them) and server_address (the first of them).
start_server() {
    local mode=$1 name=$2

    shift 2
    start_program "$mode" "$SERVERS/$name" "$@"
    wait_until_ready
}

# start_program bare|shimmed COMMAND ARGUMENT...: the same for any command; doesn't wait.
# A shell without job control starts background commands with SIGINT ignored: env undoes that. With the shim,
# the library $preload_also is preloaded behind it.
start_program() {
    local preload=() name

    [ "$1" = bare ] || preload=("LD_PRELOAD=$SHIM${preload_also:+:$preload_also}")
    shift
    new_name server
    server_out=$name.out server_err=$name.err
    env --default-signal=INT,QUIT "${preload[@]}" "$@" \
        </dev/null >"$server_out" 2>"$server_err" 3>&- 4>&- &
    server_pid=$!
    remember_process "$server_pid"
}

wait_until_ready() {
    if ! wait_for 10 is_ready_or_gone || ! file_has "$server_out" ready; then
        show_server
        return 1
    fi
    read_addresses
}

is_ready_or_gone() {
    file_has "$server_out" ready || ! is_running "$server_pid"
}

# `listening tcp4 127.0.0.1:PORT` becomes tcp4:PORT, `listening unix PATH` becomes unix:PATH.
read_addresses() {
    local word family where

    server_addresses=()
    while read -r word family where; do
        [ "$word" = listening ] || continue
        [ "$family" = unix ] || where=${where##*:}
        server_addresses+=("$family:$where")
    done <"$server_out"
    server_address=${server_addresses[0]:-}
}

# Leaves a new $name, $work/KIND.SHELL.NUMBER: subshells that run at once never share one.
new_name() {
    names=$((${names:-0} + 1))
    name=$work/$1.$BASHPID.$names
}

# For failures.
show_server() {
    echo "server's output:"
    cat "$server_out"
    echo "server's errors:"
    cat "$server_err"
}

# Stopping ----------------------------------------------------------------------------------------

# send_signal TERM [PID]: to the server, from this shell. Leaves signal_us, for exit_ms.
send_signal() {
    read_clock
    signal_us=$now_us
    kill -s "$1" "${2:-$server_pid}"
}

# await_exit [SECONDS]: waits for the server's end. Leaves exit_status (128 + N for signal N) and
# exit_ms since send_signal. One that outlives the deadline (20 s) is killed: exit_status `alive`.
await_exit() {
    await_process "$server_pid" "${1:-20}"
    exit_status=$process_status
    read_clock
    exit_ms=$(((now_us - ${signal_us:-0}) / 1000))
}

stop_and_wait() {
    send_signal "${1:-TERM}"
    await_exit "${2:-20}"
}

# await_process PID SECONDS: leaves process_status. The process must be a child of this shell.
await_process() {
    local late=$work/late.$1

    kill_when_late "$1" "$2" "$late" >/dev/null 2>&1 3>&- 4>&- &
    process_status=0
    wait "$1" 2>/dev/null || process_status=$?
    if [ -e "$late" ]; then
        process_status=alive
        cat "$late"
    fi
}

# Ends by itself soon after the process has: a signal could run a trap of bats that it inherited.
kill_when_late() {
    local deadline start

    stat_field "$1" 22
    start=$field
    read_clock
    deadline=$((now_us + $2 * 1000000))
    while [ -n "$field" ] && [ "$field" = "$start" ]; do
        if [ "$now_us" -ge "$deadline" ]; then
            tell_where_it_is "$1" >"$3" || : # a thread may be gone by the time it is looked at
            kill -KILL "$1"
            return
        fi
        read -rt 0.1 <>"$work/never" || :
        read_clock
        stat_field "$1" 22
    done
}

# Of a process that should be gone: what each of its threads waits for.
tell_where_it_is() {
    echo "process $1 is still there after its deadline:"
    grep -HE '^(Name|State|SigPnd|ShdPnd|SigBlk)' "/proc/$1/task"/*/status
    grep -H . "/proc/$1/task"/*/wchan
    if command -v gdb >/dev/null; then
        timeout 20 gdb -p "$1" -batch -ex 'thread apply all backtrace' 2>&1 | grep -E '^(Thread|#)'
    fi
}

# Clients -----------------------------------------------------------------------------------------

# start_client TOOL ARGUMENT...: tests/tools/TOOL in the background. Leaves client_pid and
# client_out, a file.
start_client() {
    local tool=$1 name

    shift
    new_name client
    client_out=$name.out client_err=$name.err
    "$TOOLS/$tool" "$@" </dev/null >"$client_out" 2>"$client_err" 3>&- 4>&- &
    client_pid=$!
    remember_process "$client_pid"
}

# For wait_for: inflight has made all its connections.
client_has_sent() {
    file_has "$client_out" sent
}

# start_inflight ARGUMENT...: inflight against the server, and all its connections made.
start_inflight() {
    start_client inflight --connect "$server_address" "$@"
    if ! wait_for 10 client_has_sent; then
        cat "$client_out" "$client_err"
        return 1
    fi
}

# await_client [SECONDS]: leaves client_status, client_lines (its stdout) and the last of them,
# client_last.
await_client() {
    await_process "$client_pid" "${1:-25}"
    client_status=$process_status
    mapfile -t client_lines <"$client_out"
    client_last=${client_lines[-1]:-}
}

show_client() {
    echo "client's output:"
    cat "$client_out" "$client_err"
}

# knock ADDRESS: one connect, closed at once. Leaves knock_result (accepted, refused, timeout, lost)
# and knock_us.
knock() {
    read -r knock_result knock_us < <("$TOOLS/knock" --connect "$1" --timeout-ms 2000 3>&-)
}

# For wait_for: a connect to ADDRESS (the server's) is refused.
is_refused() {
    knock "${1:-$server_address}"
    [ "$knock_result" = refused ]
}

# On stdout: a port that was free a moment ago, for a server that can't be told to take any.
free_port() {
    python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# Comparisons -------------------------------------------------------------------------------------

# Each fails the test and prints both values.
expect_equal() { # WHAT ACTUAL EXPECTED
    [ "$2" = "$3" ] && return
    printf '%s: is\n%s\nand should be\n%s\n' "$1" "$2" "$3"
    return 1
}

expect_match() { # WHAT ACTUAL REGULAR_EXPRESSION
    [[ $2 =~ $3 ]] && return
    printf '%s: is\n%s\nand should match\n%s\n' "$1" "$2" "$3"
    return 1
}

expect_at_most() { # WHAT ACTUAL LIMIT
    [ "$2" -le "$3" ] && return
    echo "$1: is $2 and should be at most $3"
    return 1
}

expect_at_least() { # WHAT ACTUAL LIMIT
    [ "$2" -ge "$3" ] && return
    echo "$1: is $2 and should be at least $3"
    return 1
}

# checkpoint_value FILE JQ_FILTER: on stdout.
checkpoint_value() {
    jq -r "$2" "$1"
}

# In the TAP stream, without failing: figures that a person may want to see.
note() {
    local lines

    mapfile -t lines <<<"$*"
    printf '# %s\n' "${lines[@]}" >&3
}

# Many at once ------------------------------------------------------------------------------------

# in_parallel COUNT FUNCTION: calls FUNCTION once for each line of stdin, with its words as
# arguments, in subshells, COUNT at a time. Fails if one does, and prints what that one printed.
# Not to be called as a condition (if, ||): there a shell doesn't end at what fails.
in_parallel() {
    local count=$1 function=$2 lines pids=() i failed=0 logs name

    mapfile -t lines
    new_name parallel
    logs=$name
    for ((i = 0; i < count; i++)); do
        every_nth_line "$i" "$count" &
        pids+=("$!")
    done
    wait "${pids[@]}" || :
    for i in "${!lines[@]}"; do
        [ ! -e "$logs.$i.ok" ] || continue
        failed=$((failed + 1))
        echo "--- $function ${lines[i]}:"
        cat "$logs.$i"
    done
    expect_equal "$function: failures of ${#lines[@]}" "$failed" 0
}

# One of the shells of in_parallel: lines FIRST, FIRST+STEP, .. of its array.
every_nth_line() {
    local i words

    for ((i = $1; i < ${#lines[@]}; i += $2)); do
        read -ra words <<<"${lines[i]}"
        run_apart "$logs.$i" "$function" "${words[@]}" &
        wait "$!" || :
    done
}

# run_apart LOG COMMAND...: LOG.ok says that it succeeded.
run_apart() {
    local log=$1

    shift
    set -e
    "$@" </dev/null >"$log" 2>&1
    touch "$log.ok"
}
