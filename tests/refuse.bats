# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# From the signal on new connections are refused at once, and those made before are all served.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

AT_ONCE=4
REFUSED_US=100000 # what a refused connect() may take on a loaded machine; it takes some 50 us

# A server that catches the signal (--signal) exits with status 7.
expect_clean_stop() { # SERVER OPTION...
    local status=143

    [[ $* != *--signal* ]] || status=7
    expect_equal "slow requests: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" "$status"
    expect_equal "stderr" "$(<"$server_err")" ""
}

expect_refused() { # ADDRESS
    knock "$1"
    expect_equal "connect to $1" "$knock_result" refused
    expect_at_most "microseconds until $1 refused" "$knock_us" "$REFUSED_US"
}

# kill() returns before the handler has run.
wait_for_refusal() { # ADDRESS
    wait_for 2 is_refused "$1"
    expect_refused "$1"
}

# Connects one after the other until one is refused, with a request in flight beside them.
refuses_at_once() { # SERVER OPTION...
    start_server shimmed "$@"
    refuses_this_at_once "$*"
}

refuses_this_at_once() { # NAME, in the words of the server's command line
    local clock slow_pid

    start_inflight --slow 2 --path '/slow?ms=1500'
    slow_pid=$client_pid
    clock=$("$TOOLS/refusal_clock" --connect "$server_address" --pid "$server_pid" 3>&-)
    expect_match "refusal" "$clock" 'refused_after_us [0-9]+ lost 0 '
    echo "$clock: $1" >>"$work/figures"
    read -r _ clock _ <<<"$clock"
    expect_at_most "microseconds from the signal to the first refusal" "$clock" "$REFUSED_US"
    for _ in {1..10}; do
        expect_refused "$server_address"
    done
    client_pid=$slow_pid
    await_exit
    await_client
    expect_clean_stop "$1"
}

@test "a new connect is refused at once while requests are in flight" {
    in_parallel 2 refuses_at_once <<END
threaded --listen tcp4
threaded --listen tcp6
threaded --listen unix:$work/1
epoll --listen tcp4
epoll --listen tcp6
epoll --listen unix:$work/2
poll --listen tcp4
poll --listen unix:$work/3
select --listen unix:$work/4
epoll --signal signalfd --listen tcp4
threaded --signal sigwait --listen unix:$work/5
threaded --reuseport --listen tcp4
epoll --reuseport --listen tcp6
epoll --syscall-io --listen tcp4
END
    note "$(<"$work/figures")"
}

@test "several listeners are refused together, and each one's requests finish" {
    local address clients=() client

    start_server shimmed epoll --listen tcp4 --listen tcp6 --listen "unix:$work/1" --listen tcp4
    expect_equal "listeners" "${#server_addresses[@]}" 4
    for address in "${server_addresses[@]}"; do
        server_address=$address start_inflight --slow 2 --path '/slow?ms=700'
        clients+=("$client_pid")
    done
    send_signal TERM
    for address in "${server_addresses[@]}"; do
        wait_for_refusal "$address"
    done
    await_exit
    expect_equal "exit status" "$exit_status" 143
    for client in "${clients[@]}"; do
        await_process "$client" 5
        expect_equal "status of client $client" "$process_status" 0
    done
}

# A port that nothing is bound to, below those that the kernel gives away.
find_port() {
    port=$(perl -MSocket -e '
        socket S, AF_INET, SOCK_STREAM, 0;
        for (1 .. 1000) {
            my $port = 10000 + int rand 20000;
            next unless bind S, pack_sockaddr_in($port, INADDR_LOOPBACK);
            print $port;
            last;
        }')
    [ -n "$port" ]
}

refuses_group() { # SERVER
    find_port
    start_server shimmed "$1" --reuseport --listen "tcp4:$port" --listen "tcp4:$port" \
        --listen "tcp4:$port"
    start_inflight --slow 12 --path '/slow?ms=700'
    send_signal TERM
    wait_for_refusal "$server_address"
    for _ in {1..30}; do
        expect_refused "$server_address"
    done
    await_exit
    await_client
    expect_clean_stop "$@"
}

@test "a group of SO_REUSEPORT listeners in one process is refused as a whole" {
    in_parallel 2 refuses_group <<'END'
threaded
epoll
END
}

# Its sibling serves all the time: the group as a whole refuses nobody.
leaves_group() { # SERVER
    local leaver

    find_port
    start_server shimmed "$1" --reuseport --listen "tcp4:$port"
    start_server shimmed "$1" --reuseport --listen "tcp4:$port"
    leaver=$server_pid
    start_client churn --connect "$server_address" --threads 2 --seconds 3
    wait_for 5 have_worked "$leaver"
    signal_us=0
    send_signal TERM "$leaver"
    server_pid=$leaver await_exit
    expect_equal "exit status" "$exit_status" 143
    await_client
    expect_match "clients" "$client_last" "refused 0 lost 0 timeout 0 "
}

@test "one process of a SO_REUSEPORT group leaves it: nobody is refused or lost" {
    in_parallel 1 leaves_group <<'END'
threaded
epoll
END
}

# What is half-open when one of them leaves is lost as bare, and can't be helped: one in some 15 stops.
both_leave() { # SERVER
    local other

    find_port
    start_server shimmed "$1" --reuseport --listen "tcp4:$port"
    other=$server_pid
    start_server shimmed "$1" --reuseport --listen "tcp4:$port"
    start_client churn --connect "$server_address" --threads 4 --until-refused
    wait_for 5 have_worked "$other"
    send_signal TERM "$other"
    stop_and_wait
    server_pid=$other await_exit
    await_client
    expect_match "clients of $1" "$client_last" "lost [0-9]+ timeout 0 "
    [[ $client_last =~ lost\ ([0-9]+) ]]
    lost=$((lost + BASH_REMATCH[1]))
}

@test "both processes of a SO_REUSEPORT group are stopped at once: nobody is lost" {
    local server lost=0

    for server in poll epoll threaded single poll epoll; do
        both_leave "$server"
    done
    expect_at_most "connections lost in 6 stops" "$lost" 1
}

# As when the new version of a server is started beside the old one, which is stopped then.
goes_on_beside() { # SERVER
    local leaver i=0 slow=0

    find_port
    start_server shimmed "$1" --reuseport --listen "tcp4:$port"
    leaver=$server_pid
    start_inflight --slow 8 --path '/slow?ms=2000'
    start_server shimmed "$1" --reuseport --listen "tcp4:$port"
    send_signal TERM "$leaver"
    while is_running "$leaver" && [ "$i" -lt 100 ]; do
        curl -sS -o "$work/answer.$1" --max-time 5 -w '%{time_connect}\n' "http://127.0.0.1:$port/" \
            >"$work/connect.$1"
        [[ $(<"$work/connect.$1") == 0.* ]] || slow=$((slow + 1)) # a SYN comes again after 1 s
        i=$((i + 1))
    done
    expect_at_most "connects that waited" "$slow" 1 # in the moment of leaving
    expect_at_least "answers meanwhile" "$i" 8 # of two listeners: one in 256 runs misses the leaver
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    server_pid=$leaver await_exit
    expect_equal "exit status" "$exit_status" 143
    stop_and_wait
}

@test "while one process of a SO_REUSEPORT group drains, connects to the other do not hang" {
    in_parallel 3 goes_on_beside <<'END'
threaded
epoll
poll
END
}

# Socket activation -------------------------------------------------------------------------------

start_activated() { # SERVER ADDRESS...
    start_program bare "$TOOLS/activate" "${@:2}" -- \
        env LD_PRELOAD="$SHIM" "$SERVERS/$1" --listen-fds
    wait_until_ready
}

refuses_activated() { # SERVER ADDRESS...
    start_activated "$@"
    refuses_this_at_once "activated $*"
}

@test "listeners of socket activation are refused too" {
    in_parallel 2 refuses_activated <<END
threaded tcp4:0
epoll tcp4:0
epoll tcp6:0
threaded unix:$work/1
poll unix:$work/2
END
    note "$(<"$work/figures")"
}

stops_before_first_connection() { # SERVER ADDRESS...
    local state=$work/state.$BASHPID

    FLUX_CHECKPOINT=$state start_activated "$@"
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "reason in the checkpoint" "$(checkpoint_value "$state" .reason)" signal
}

@test "socket activation: a stop before the first connection runs hooks and checkpoint" {
    in_parallel "$AT_ONCE" stops_before_first_connection <<END
threaded tcp4:0
single tcp4:0
epoll tcp4:0
poll tcp6:0
select unix:$work/1
END
}

# The accept queue --------------------------------------------------------------------------------

first_request_is_read() {
    [[ $(<"$server_out") == *"at=request sig=2 "* ]]
}

# One is being served, five wait in the queue.
serves_queue() { # OPTION...
    local state=$work/state.$BASHPID

    FLUX_CHECKPOINT=$state start_server shimmed single --readback "$@"
    start_inflight --slow 6 --path '/slow?ms=200'
    wait_for 5 first_request_is_read
    send_signal TERM
    wait_for_refusal "$server_address"
    await_exit
    await_client
    expect_clean_stop "$@"
    expect_at_least "rescued from the queue" "$(checkpoint_value "$state" .connections.rescued)" 5
}

@test "whoever waits in the accept queue is answered" {
    in_parallel "$AT_ONCE" serves_queue <<END
--listen tcp4
--listen tcp6
--listen unix:$work/1
--listen tcp4 --signal signal
--listen tcp4 --signal sigwait
--listen tcp6 --stdio
--listen tcp4 --syscall-io
--listen unix:$work/2 --syscall-io
END
}

# With a backlog of 3 the queue takes 4; whoever comes after is neither in nor refused before the
# signal, and must be told within the time of one retransmission.
serves_full_queue() { # OPTION...
    local served queued late=()

    start_server shimmed single --readback --backlog 3 "$@"
    start_inflight --slow 1 --path '/slow?ms=1000'
    served=$client_pid
    wait_for 5 first_request_is_read
    start_inflight --slow 4 --path '/slow?ms=200'
    queued=$client_pid
    for _ in 1 2 3; do
        start_client knock --connect "$server_address" --timeout-ms 5000
        wait_for 5 file_has "/proc/$client_pid/comm" knock
        late+=("$client_out")
    done
    send_signal TERM
    await_exit
    await_process "$served" 5
    expect_equal "status of the client served first" "$process_status" 0
    await_process "$queued" 5
    expect_equal "status of the clients in the queue" "$process_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
    for client_out in "${late[@]}"; do
        wait_for 5 test -s "$client_out"
        expect_match "client outside the queue" "$(<"$client_out")" "^refused "
    done
}

@test "a full accept queue: all in it are answered, all outside are refused" {
    in_parallel 1 serves_full_queue <<END
--listen tcp4
--listen tcp6
--listen unix:$work/1
END
}

# Quiet -------------------------------------------------------------------------------------------

cpu_ticks() {
    local user

    stat_field "$server_pid" 14
    user=$field
    stat_field "$server_pid" 15
    ticks=$((user + field))
}

drain_has_lasted() { # MS
    read_clock
    [ $(((now_us - signal_us) / 1000)) -ge "$1" ]
}

# A refused listener must not look ready for ever. 10 ticks are 100 ms.
does_not_spin() { # SERVER OPTION...
    local before used

    start_server shimmed "$@"
    start_inflight --slow 1 --path '/slow?ms=1300'
    cpu_ticks
    before=$ticks
    send_signal TERM
    wait_for_refusal "$server_address"
    wait_for 5 drain_has_lasted 1000
    cpu_ticks
    used=$((ticks - before))
    expect_refused "$server_address"
    await_exit
    await_client
    expect_clean_stop "$@"
    expect_at_most "ticks of CPU time in 1 s" "$used" 10
    expect_equal "failed calls" "$(grep -F 'accept failed' "$server_out")" ""
}

@test "a refused listener does not spin, blocking or not" {
    local server listener option number=0

    for server in epoll poll select; do
        for listener in tcp4 tcp6 unix; do
            for option in "" --blocking-listener; do
                number=$((number + 1))
                echo "$server --listen ${listener/unix/unix:$work/$number} $option"
            done
        done
    done | in_parallel 6 does_not_spin
}

@test "a refused listener in a blocking accept() does not spin" {
    in_parallel 6 does_not_spin <<END
threaded --listen unix:$work/1
threaded --listen tcp4
threaded --acceptors 3 --listen unix:$work/2
threaded --acceptors 3 --listen tcp6
threaded --signal signalfd --listen unix:$work/3
single --listen unix:$work/4
threaded --listen unix:$work/5 --listen tcp4
END
}

@test "the group of a SO_REUSEPORT listener is looked at from a handler with a stack of 8 KiB" {
    start_program shimmed "$BUILD/tests/fixtures/alternate_stack"
    wait_until_ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 7
    expect_equal "stderr" "$(<"$server_err")" ""
}
