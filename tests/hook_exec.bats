# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# The hook exec: a command runs in its own surroundings, and the server doesn't notice.

load lib/fluxshim
load lib/builtin_hooks

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

# exec_entry MEMBERS: an entry of the configuration.
exec_entry() {
    printf '{"name": "exec", "config": {%s}}' "$1"
}

# Its parts by what cp and bash do themselves: a child of a shell sees what the shell makes of it.
# Descriptor 3 is that of the folder while it is read.
found_by_command() {
    grep -h '^Sig[BI]' "$work/status"
    cat "$work/report"
}

@test "no descriptor, blocked signal or FLUX_ variable of the server reaches the command" {
    local status style server

    configure_hooks "$(exec_entry "\"argv\": [\"/bin/cp\", \"/proc/self/status\", \"$work/status\"]")" \
        "$(exec_entry "\"env\": {\"OWN\": \"value\"}, \"argv\": [\"/bin/bash\", \"-c\",
            \"fds=(/proc/\$\$/fd/*)
            echo in \$PWD open \${fds[*]##*/} own \$OWN \$(compgen -e | grep '^FLUX_\\\\|^LD_PRELOAD') >$work/report\"]")"
    while read -r status style server; do
        OWN=theirs FLUX_HOOK_TIMEOUT=4s start_server shimmed "$server" --signal "$style"
        stop_and_wait
        expect_equal "exit status" "$exit_status" "$status"
        expect_equal "stderr" "$(<"$server_err")" ""
        expect_equal "what the command of $server, $style, found" "$(found_by_command)" \
            "SigBlk:	0000000000000000
SigIgn:	0000000000000000
in / open 0 1 2 3 own value"
        rm "$work/status" "$work/report"
    done <<'END'
143 default single
143 default threaded
7 sigaction single
7 signalfd epoll
7 ppoll poll
7 pselect select
END
}

is_over() {
    ! is_running "$1"
}

bare_descriptors() {
    start_program bare "$BUILD/tests/fixtures/reaps"
    wait_until_ready
    ls "/proc/$server_pid/fd" | paste -sd ' '
    kill "$server_pid"
}

@test "a server that sits in wait(-1) sees neither child nor SIGCHLD" {
    configure_hooks "$(exec_entry '"shell": "sleep 0.1 & exit 3", "when": "running"')" \
        "$(exec_entry '"shell": "(exit 0); exit 0", "when": "refuse"')" \
        "$(exec_entry '"argv": ["/nowhere/x"]')" \
        "$(exec_entry '"shell": "sleep 100", "timeout": "100ms"')" \
        "$(exec_entry '"argv": ["/bin/sh", "-c", "kill -SEGV $$"]')"
    start_program shimmed "$BUILD/tests/fixtures/reaps"
    wait_until_ready
    expect_equal "threads while it serves" "$(ls "/proc/$server_pid/task" | wc -l)" 1
    expect_equal "its descriptors" "$(ls "/proc/$server_pid/fd" | paste -sd ' ')" "$(bare_descriptors)"
    stop_and_wait
    expect_equal "exit status" "$exit_status" 0
    expect_match "what it saw" "$(<"$server_out")" 'sigchld 0 reaped 0$'
    expect_equal "rows" "$(hook_rows)" "exec failed 3
exec ok 0
exec failed 2
exec failed 110
exec failed 139"
}

@test "at its deadline the whole group ends, also what ignores SIGTERM" {
    configure_hooks "$(exec_entry "\"timeout\": \"300ms\", \"shell\":
        \"trap '' TERM; (echo \$\$; exec sleep 300) & echo \$! >$work/pids; exec sleep 300\"")"
    start_server shimmed threaded
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows" "$(hook_rows)" "exec failed 110"
    expect_at_most "ms to the exit" "$exit_ms" "$WHEN_GONE"
    expect_at_least "ms to the exit" "$exit_ms" 300
    is_over "$(<"$work/pids")"
    expect_match "log" "$(<"$server_err")" 'did not end within 300 ms and was ended'
}

@test "a command that ends leaves nothing of its group behind" {
    call_hook exec "{\"shell\": \"sleep 300 & echo \$! >$work/pid; echo done\"}" cleanup
    expect_match "result" "$hook_output" 'cleanup 0'
    expect_match "its output" "$hook_output" 'log 2 exec: \| done'
    wait_for 2 is_over "$(<"$work/pid")"
}

@test "a server that is killed takes the command with it" {
    configure_hooks "$(exec_entry "\"timeout\": \"60s\", \"shell\": \"echo \$\$ >$work/pid.new
        mv $work/pid.new $work/pid; exec sleep 300\"")"
    start_server shimmed threaded
    send_signal TERM
    wait_for 5 exists "$work/pid"
    is_running "$(<"$work/pid")"
    send_signal KILL
    await_exit
    expect_equal "exit status" "$exit_status" 137
    wait_for 2 is_over "$(<"$work/pid")"
}

@test "without its guard the command ends too" {
    configure_hooks "$(exec_entry "\"timeout\": \"60s\", \"shell\": \"echo \$\$ >$work/pid.new
        mv $work/pid.new $work/pid; exec sleep 300\"")"
    start_server shimmed threaded
    send_signal TERM
    wait_for 5 exists "$work/pid"
    stat_field "$(<"$work/pid")" 4
    kill -KILL "$field"
    await_exit
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows, EINTR" "$(hook_rows)" "exec failed 4"
    wait_for 2 is_over "$(<"$work/pid")"
}

@test "its output is told line by line, escaped and bounded" {
    call_hook exec '{"shell": "printf \"one\\n\\033[31mtwo\\rthree\\n\\n\"; echo four >&2; printf five"}' cleanup
    expect_equal "lines" "$(grep '^log' <<<"$hook_output" | tail -n +2)" 'log 2 exec: | one
log 2 exec: | \033[31mtwo\015three
log 2 exec: | 
log 2 exec: | four
log 2 exec: | five'
    call_hook exec '{"shell": "yes | head -c 3000000; exit 1"}' cleanup
    expect_match "result" "$hook_output" 'cleanup 1'
    expect_at_most "lines" "$(grep -c '^log 1' <<<"$hook_output")" 202
    expect_match "the rest" "$hook_output" '\| \.\.\. 29[0-9]{5} bytes more'
    call_hook exec '{"shell": "head -c 100000 /dev/zero; echo"}' cleanup
    expect_at_most "longest line" "$(wc -L <<<"$hook_output")" 520
    call_hook exec '{"shell": "echo nothing", "output": "null"}' cleanup
    expect_equal "lines" "$(grep -c '^log [012]' <<<"$hook_output")" 0
}

@test "exit status, signal, and what can't be started" {
    local -A of=(['"shell": "exit 42"']=42 ['"shell": "kill -KILL $$"']=137
        ['"argv": ["/nowhere/x"]']=2 ['"argv": ["/etc/passwd"]']=13
        ['"argv": ["/bin/true"], "cwd": "/nowhere"']=2 ['"argv": ["/bin/true"]']=0
        ['"argv": ["/usr/bin/env"], "clear_env": true, "env": {"A": "b"}']=0)

    for members in "${!of[@]}"; do
        call_hook exec "{$members}" cleanup cleanup
        expect_equal "$members" "$(result | paste -sd ' ')" \
            "${of[$members]} ${of[$members]}"
        [[ $members != *clear_env* ]] ||
            expect_equal "environment" "$(grep '|' <<<"$hook_output")" 'log 2 exec: | A=b'
    done
}

# Behind haproxy ----------------------------------------------------------------------------------

# Two servers, no retries: a request that haproxy sends to a server that refuses fails.
start_haproxy() { # PORT PORT
    proxy_port=$(free_port)
    cat >"$work/haproxy.cfg" <<END
global
    stats socket $work/admin.sock mode 600 level admin
defaults
    mode http
    retries 0
    timeout connect 2s
    timeout client 10s
    timeout server 10s
listen proxy
    bind 127.0.0.1:$proxy_port
    balance roundrobin
    http-reuse never
    server one 127.0.0.1:$1
    server two 127.0.0.1:$2
END
    "$(command -v haproxy || echo /usr/sbin/haproxy)" -db -f "$work/haproxy.cfg" \
        >"$work/haproxy.out" 2>&1 3>&- 4>&- &
    haproxy_pid=$!
    remember_process "$haproxy_pid"
    wait_for 10 proxy_answers
}

proxy_answers() {
    [ -S "$work/admin.sock" ] && curl -sfo "$work/answer" "http://127.0.0.1:$proxy_port/"
}

# One server stops while clients ask through the proxy; leaves client_last.
stop_behind_proxy() { # CONFIG, of the one that stops
    local other

    start_server bare epoll
    other=${server_address#tcp4:}
    FLUX_CONFIG=$1 FLUX_LAME_DUCK=700ms start_server shimmed epoll
    start_haproxy "${server_address#tcp4:}" "$other"
    start_client churn --connect "tcp4:$proxy_port" --threads 2 --seconds 3
    wait_for 5 has_asked
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    await_client
    kill "$haproxy_pid"
}

# The proxy has sent some requests to the server that is to stop.
has_asked() {
    [ "$(echo 'show stat' | socat - "UNIX-CONNECT:$work/admin.sock" |
        awk -F, '$1 == "proxy" && $2 == "one" {print $8}')" -gt 20 ]
}

@test "haproxy is told in time: no request fails, and without the hook some do" {
    command -v socat >/dev/null || skip "socat is not installed"
    configure_hooks "$(exec_entry "\"when\": \"lame_duck\", \"shell\":
        \"echo 'disable server proxy/one' | socat - UNIX-CONNECT:$work/admin.sock\"")"
    stop_behind_proxy "$FLUX_CONFIG"
    note "with the hook: $client_last"
    expect_match "client" "$client_last" '^ok [0-9]{2,} refused 0 lost 0 timeout 0'
    expect_equal "rows" "$(hook_rows)" "exec ok 0"
    echo '{}' >"$work/without.json"
    stop_behind_proxy "$work/without.json"
    note "without: $client_last"
    expect_match "client" "$client_last" ' lost [1-9]'
}
