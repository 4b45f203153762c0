# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Servers of others, unmodified: what is in flight completes, nothing is lost, and they end as bare.

load lib/fluxshim

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

STOPS=5

# python3 itself, and not a script that stands before it and chooses one.
start_python() { # bare|shimmed
    local python

    python=$(python3 -c 'import sys; print(sys.executable)')
    start_program "$1" "$python" "$BATS_TEST_DIRNAME/fixtures/http_server.py"
    wait_until_ready
}

# The clients come from all of 127.0.0.0/8, which its protected mode doesn't take for local ones.
start_redis() { # bare|shimmed
    local port

    command -v redis-server >/dev/null || skip "redis-server is not installed"
    port=$(free_port)
    start_program "$1" redis-server --bind 127.0.0.1 --port "$port" --protected-mode no \
        --save '' --appendonly no --dir "$work" --tcp-backlog 511
    server_address=tcp4:$port
    wait_for 10 answers_ping
}

SYS_poll=7 # x86_64

# Its first thread waits in poll again, and each request has a thread: a KeyboardInterrupt in the middle
# of Thread.start() ends it with 1 and not as SIGINT does.
python_holds() { # REQUESTS
    local call

    [ "$(find "/proc/$server_pid/task" -mindepth 1 -maxdepth 1 | wc -l)" -gt "$1" ] || return 1
    read -r call _ <"/proc/$server_pid/syscall"
    [ "$call" = "$SYS_poll" ]
}

answers_ping() {
    [ "$(redis-cli -p "${server_address#tcp4:}" ping 2>/dev/null)" = PONG ]
}

# In flight ---------------------------------------------------------------------------------------

# A run of SERVER; leaves exit_status and client_last.
stop_in_flight() { # bare|shimmed python|redis SIGNAL
    "start_$2" "$1"
    case $2 in
    python)
        start_inflight --slow 8 --path '/slow?ms=700'
        wait_for 10 python_holds 8
        ;;
    redis) # a list that stays empty: the answer is an empty one after 1 s
        start_inflight --proto line --slow 4 --send 'BLPOP nothing 1' --expect '*-1' \
            --idle 2 --quick PING --keep
        ;;
    esac
    stop_and_wait "$3"
    await_client
}

completes_what_is_in_flight() { # python|redis SIGNAL
    local bare_status bare_last

    stop_in_flight bare "$@"
    bare_status=$exit_status bare_last=$client_last
    stop_in_flight shimmed "$@"
    note "$1 $2: $client_last (bare: $bare_last)"
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" "$bare_status"
    expect_equal "stderr of the shim" "$(grep '^fluxshim' "$server_err" || :)" ""
    expect_match "bare loses some: otherwise this shows nothing" "$bare_last" '^slow ok 0 of'
}

@test "python3's http.server: slow requests complete" {
    completes_what_is_in_flight python TERM
    completes_what_is_in_flight python INT
}

@test "redis-server: blocked commands complete, idle connections are closed" {
    completes_what_is_in_flight redis TERM
    expect_match "idle ones" "$client_last" 'idle eof 2 of 2'
    completes_what_is_in_flight redis INT
}

# Under churn -------------------------------------------------------------------------------------

# has_served N: the server's CPU time has reached N ticks, so that the stop comes in mid-churn.
has_served() {
    stat_field "$server_pid" 14
    [ "$field" -ge "$1" ]
}

# Leaves exit_status and the sums ok, refused and lost of all stops.
stop_under_churn() { # bare|shimmed python|redis CHURN_OPTION...
    local i ticks

    ok=0 refused=0 lost=0 statuses=
    for ((i = 0; i < STOPS; i++)); do
        "start_$2" "$1"
        stat_field "$server_pid" 14
        ticks=$field
        start_client churn --connect "$server_address" --threads 4 --until-refused "${@:3}"
        wait_for 10 has_served $((ticks + 5))
        stop_and_wait
        await_client
        expect_match "client" "$client_last" '^ok [0-9]+ refused [0-9]+ lost [0-9]+'
        read -r _ one_ok _ one_refused _ one_lost _ <<<"$client_last"
        ok=$((ok + one_ok)) refused=$((refused + one_refused)) lost=$((lost + one_lost))
        statuses+=" $exit_status"
    done
}

loses_nothing() { # python|redis CHURN_OPTION...
    local bare_statuses figures ok refused lost statuses one_ok one_refused one_lost

    stop_under_churn bare "$@"
    bare_statuses=$statuses figures="bare ok $ok lost $lost"
    stop_under_churn shimmed "$@"
    note "$1, $STOPS stops: shimmed ok $ok lost $lost, $figures"
    expect_equal "lost" "$lost" 0
    expect_equal "exit statuses" "$statuses" "$bare_statuses"
    expect_at_least "refused" "$refused" 1
    expect_equal "stderr of the shim" "$(grep '^fluxshim' "$server_err" || :)" ""
}

@test "python3's http.server under churn loses nothing" {
    loses_nothing python
}

@test "redis-server under churn loses nothing" {
    loses_nothing redis --proto line --send PING --expect +PONG
}
