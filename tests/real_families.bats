# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Servers of others that are several processes, unmodified: a stop of the main one drains them all.

load lib/fluxshim

setup() {
    fluxshim_setup
    fixtures=$BATS_TEST_DIRNAME/fixtures
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/test "$work" 2>/dev/null || :
}

teardown() {
    end_session
    fluxshim_teardown
}

STOPS=${FLUX_TEST_STOPS:-1} # of each kind; 20 in the long form

# What a server that was killed leaves behind: all that is in its session.
end_session() {
    local pid

    [ -n "${server_pid:-}" ] || return 0
    for pid in $(session); do
        kill -KILL "$pid" 2>/dev/null || :
    done
}

session() {
    ps -o pid=,stat= -s "$server_pid" 2>/dev/null | awk '$2 !~ /^Z/ {print $1}'
}

# start_daemonless bare|shimmed COMMAND...: in a session of its own, so that its processes are known.
start_session() {
    start_program "$1" setsid "${@:2}"
    server_address=tcp4:$port
    wait_for 20 is_accepting
}

is_accepting() {
    knock "$server_address"
    [ "$knock_result" = accepted ]
}

# Each leaves server_pid and server_address.

start_nginx() { # bare|shimmed
    port=$(free_port)
    mkdir -p "$work/nginx"
    head -c 50000 /dev/zero >"$work/nginx/slow"
    echo quick >"$work/nginx/quick"
    chmod -R a+rX "$work/nginx"
    cat >"$work/nginx.conf" <<END
daemon off;
worker_processes 2;
pid $work/nginx.pid;
error_log stderr;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    server {
        listen 127.0.0.1:$port;
        root $work/nginx;
        location /slow { limit_rate 30k; }
    }
}
END
    start_session "$1" "$(command -v nginx || echo /usr/sbin/nginx)" -e stderr -c "$work/nginx.conf"
}

start_apache() { # bare|shimmed prefork|event
    port=$(free_port)
    mkdir -p "$work/apache/run"
    head -c 50000 /dev/zero >"$work/apache/slow"
    echo quick >"$work/apache/quick"
    chmod -R a+rX "$work/apache"
    cat >"$work/apache.conf" <<END
ServerRoot $work/apache
LoadModule mpm_$2_module /usr/lib/apache2/modules/mod_mpm_$2.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule env_module /usr/lib/apache2/modules/mod_env.so
LoadModule ratelimit_module /usr/lib/apache2/modules/mod_ratelimit.so
Listen 127.0.0.1:$port
ServerName localhost
PidFile $work/apache/run/pid
ErrorLog /dev/stderr
LogLevel crit
DefaultRuntimeDir $work/apache/run
User www-data
Group www-data
DocumentRoot $work/apache
StartServers 3
<Location /slow>
    SetOutputFilter RATE_LIMIT
    SetEnv rate-limit 30
</Location>
END
    start_session "$1" /usr/sbin/apache2 -DFOREGROUND -f "$work/apache.conf"
}

start_apache_prefork() {
    start_apache "$1" prefork
}

start_apache_event() {
    start_apache "$1" event
}

start_gunicorn() {
    port=$(free_port)
    start_session "$1" /usr/bin/gunicorn -w 4 -b "127.0.0.1:$port" --chdir "$fixtures" \
        --log-level critical slow_app:app
}

start_socat() {
    port=$(free_port)
    start_session "$1" socat "TCP-LISTEN:$port,fork,bind=127.0.0.1,reuseaddr" \
        "EXEC:$fixtures/slow_handler.sh"
}

# The primary accepts and passes connections on, or opens the socket and passes that.
start_node() { # bare|shimmed rr|none
    port=$(free_port)
    start_session "$1" node "$fixtures/cluster.js" "$2" "$port"
}

start_node_passing_connections() {
    start_node "$1" rr
}

start_node_passing_listener() {
    start_node "$1" none
}

start_uwsgi() {
    port=$(free_port)
    start_session "$1" uwsgi --plugin python3 --http-socket "127.0.0.1:$port" --master --processes 4 \
        --threads 2 --die-on-term --chdir "$fixtures" --module slow_app:app --disable-logging --logto /dev/null
}

# Its master execs itself once it has made the worker. What it asks is a server of ours, bare.
start_haproxy() {
    local behind

    start_server bare threaded
    behind=${server_address#tcp4:}
    port=$(free_port)
    cat >"$work/haproxy.conf" <<END
global
    nbthread 2
defaults
    mode http
    option redispatch
    retries 3
    timeout connect 5s
    timeout client 20s
    timeout server 20s
frontend all
    bind 127.0.0.1:$port
    http-request set-path / if { path /quick }
    http-request set-uri /slow?ms=1000 if { path /slow }
    default_backend one
backend one
    server one 127.0.0.1:$behind
END
    start_session "$1" /usr/sbin/haproxy -q -W -f "$work/haproxy.conf"
}

start_postgres() {
    local programs=(/usr/lib/postgresql/*/bin)

    port=$(free_port)
    postgres=${programs[-1]}
    if [ ! -e "$work/data/PG_VERSION" ]; then
        mkdir -m 700 "$work/data"
        chown postgres: "$work/data"
        (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$postgres/initdb" \
            -D "$work/data" -A trust -N >/dev/null)
    fi
    start_session "$1" setpriv --reuid=postgres --regid=postgres --init-groups "$postgres/postgres" \
        -D "$work/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
        -c fsync=off -c log_min_messages=panic
    wait_for 20 postgres_answers
}

postgres_answers() {
    "$postgres/pg_isready" -q -h 127.0.0.1 -p "$port"
}

# In flight ---------------------------------------------------------------------------------------

# A run; leaves exit_status and answered, of 8.
stop_in_flight() { # bare|shimmed SERVER
    "start_$2" "$1"
    if [ "$2" = postgres ]; then
        stop_sleeping_queries
    else
        start_inflight --slow 8 --path /slow --any
        wait_for 10 has_taken_some
        stop_and_wait TERM 30
        await_client
        [[ $client_last =~ "slow ok "([0-9]+)" of 8" ]]
        answered=${BASH_REMATCH[1]}
    fi
}

# Its time has begun to run: 200 ms of the second that each request takes.
has_taken_some() {
    read_clock
    [ -n "${begun_us:-}" ] || begun_us=$now_us
    [ $((now_us - begun_us)) -ge 200000 ] && unset begun_us
}

stop_sleeping_queries() {
    local i pids=()

    rm -f "$work"/query.*
    for i in 1 2 3 4 5 6 7 8; do
        psql -h 127.0.0.1 -p "$port" -U postgres -Atc 'select 42 from pg_sleep(1)' \
            >"$work/query.$i" 2>&1 3>&- &
        pids+=("$!")
    done
    wait_for 10 queries_run
    stop_and_wait TERM 30
    wait "${pids[@]}" || :
    answered=$(grep -cx 42 "$work"/query.* | awk -F: '{sum += $2} END {print sum}')
}

queries_run() {
    [ "$(psql -h 127.0.0.1 -p "$port" -U postgres -Atc \
        "select count(*) from pg_stat_activity where query like '%pg_sleep(1)' and state = 'active' and pid <> pg_backend_pid()" 3>&-)" = 8 ]
}

nobody_is_left() {
    [ -z "$(session)" ]
}

completes() { # SERVER
    local bare_status bare_answered

    stop_in_flight bare "$1"
    bare_status=$exit_status bare_answered=$answered
    end_session
    FLUX_CHECKPOINT=$work/open/state stop_in_flight shimmed "$1"
    note "$1: $answered of 8 answered, bare $bare_answered; $exit_ms ms"
    expect_equal "answered" "$answered" 8
    expect_equal "exit status" "$exit_status" "$bare_status"
    wait_for 2 nobody_is_left
    expect_equal "lines of the shim" "$(grep '^fluxshim' "$server_err" || :)" ""
    expect_at_least "members that had connections" "$(checkpoint_value "$work/open/state" \
        '[.members[] | select(.role == "member" and .at_signal > 0)] | length')" 1
}

# Under churn -------------------------------------------------------------------------------------

# One stop; adds to ok and lost.
stop_under_churn() { # bare|shimmed SERVER
    local one_ok one_lost

    "start_$2" "$1"
    if [ "$2" = postgres ]; then
        python3 "$fixtures/pg_churn.py" "$port" >"$work/churn" 3>&- &
        client_pid=$! client_out=$work/churn
        remember_process "$client_pid"
    else
        start_client churn --connect "$server_address" --threads 4 --path /quick --any \
            --until-refused
    fi
    wait_for 10 has_worked
    stop_and_wait TERM 30
    await_client
    [[ $client_last =~ ^"ok "([0-9]+)" refused "[0-9]+" lost "([0-9]+) ]]
    ok=$((ok + BASH_REMATCH[1])) lost=$((lost + BASH_REMATCH[2]))
    end_session
}

# 100 ms of CPU time since its first look, in all of its processes.
has_worked() {
    local pid ticks=0

    for pid in $(session); do
        stat_field "$pid" 14
        ticks=$((ticks + ${field:-0}))
        stat_field "$pid" 15
        ticks=$((ticks + ${field:-0}))
    done
    [ -n "${first_ticks:-}" ] || first_ticks=$ticks
    [ $((ticks - first_ticks)) -ge 10 ] && unset first_ticks
}

loses_nothing() { # SERVER
    local mode i ok lost figures=()

    for mode in bare shimmed; do
        ok=0 lost=0
        for ((i = 0; i < STOPS; i++)); do
            stop_under_churn "$mode" "$1"
        done
        figures+=("$mode answered $ok lost $lost")
    done
    note "$1, $STOPS stops: ${figures[*]}"
    expect_equal "lost" "$lost" 0
    expect_at_least "answered" "$ok" 1
}

# -------------------------------------------------------------------------------------------------

completes_and_loses_nothing() { # SERVER
    mkdir "$work/open"
    chmod 777 "$work/open"
    completes "$1"
    loses_nothing "$1"
}

@test "nginx with 2 workers" {
    completes_and_loses_nothing nginx
}

@test "apache2, prefork" {
    completes_and_loses_nothing apache_prefork
}

@test "apache2, event" {
    completes_and_loses_nothing apache_event
}

@test "gunicorn with 4 workers" {
    completes_and_loses_nothing gunicorn
}

@test "socat, fork and EXEC" {
    completes_and_loses_nothing socat
}

@test "postgresql" {
    completes_and_loses_nothing postgres
}

@test "node's cluster, the primary passes connections" {
    completes_and_loses_nothing node_passing_connections
}

@test "node's cluster, the primary passes the listener" {
    completes_and_loses_nothing node_passing_listener
}

@test "haproxy, master and worker" {
    completes_and_loses_nothing haproxy
}

@test "uwsgi with 4 workers" {
    completes_and_loses_nothing uwsgi
}

# nginx's master starts a new one each time.
@test "nginx: workers stopped from outside under churn" {
    local i worker

    start_nginx shimmed
    start_client churn --connect "$server_address" --threads 4 --path /quick --any --seconds 4
    for ((i = 0; i < 5; i++)); do
        worker=$(pgrep -n -P "$server_pid")
        send_signal TERM "$worker"
        wait_for 10 was_replaced "$worker"
    done
    await_client
    note "5 workers: $client_last"
    expect_match "client" "$client_last" '^ok [1-9][0-9]* refused 0 lost 0 timeout 0'
    stop_and_wait
    expect_equal "exit status" "$exit_status" 0
}

was_replaced() {
    ! is_running "$1" && [ "$(pgrep -c -P "$server_pid")" = 2 ]
}

# Sessions ----------------------------------------------------------------------------------------

start_sshd() {
    port=$(free_port)
    mkdir -p /run/sshd
    [ -e "$work/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/key"
    start_session "$1" /usr/sbin/sshd -D -e -p "$port" -h "$work/key" -o ListenAddress=127.0.0.1 \
        -o AuthorizedKeysFile="$work/key.pub" -o StrictModes=no -o UsePAM=no -o PidFile=none \
        -o LogLevel=QUIET
}

# Each of four says `begin`, pauses for longer than an idle connection may, and says `done`.
stop_with_sessions() { # bare|shimmed
    local i pids=()

    start_sshd "$1"
    for i in 1 2 3 4; do
        ssh -q -T -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i "$work/key" -p "$port" \
            root@127.0.0.1 'echo begin; sleep 2.5; echo done' >"$work/session.$i" 2>&1 </dev/null 3>&- &
        pids+=("$!")
    done
    wait_for 15 sessions_have begin
    stop_and_wait TERM 30
    at_exit=$(cat "$work"/session.? | grep -cx 'done' || :)
    wait "${pids[@]}" || :
    sessions_have 'done'
}

sessions_have() {
    [ "$(cat "$work"/session.? 2>/dev/null | grep -cx "$1")" = 4 ]
}

@test "sshd: it ends when its sessions have, and not before" {
    local bare_status

    [ "$(id -u)" = 0 ] || skip "only root can let root in"
    stop_with_sessions bare
    bare_status=$exit_status
    expect_equal "sessions over at the exit, bare" "$at_exit" 0
    stop_with_sessions shimmed
    note "sshd: $at_exit of 4 sessions over at the exit, $exit_ms ms"
    expect_equal "sessions over at the exit" "$at_exit" 4
    expect_equal "exit status" "$exit_status" "$bare_status"
    wait_for 2 nobody_is_left
}

# socat's child relays between its connection and a program that pauses.
@test "socat: a program that pauses for longer than FLUX_IDLE is heard to its end" {
    start_socat shimmed
    # shellcheck disable=SC2016 # the inner shell's
    bash -c 'exec 5<>"/dev/tcp/127.0.0.1/$0"; printf "GET /pause HTTP/1.1\r\n\r\n" >&5; cat <&5' "$port" \
        >"$work/answer" 3>&- &
    client_pid=$!
    remember_process "$client_pid"
    wait_for 5 file_has "$work/answer" begin
    stop_and_wait TERM
    await_process "$client_pid" 10
    expect_equal "answer" "$(paste -sd ' ' "$work/answer")" "begin done"
}
