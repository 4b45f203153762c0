# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# As PID 1, whose default actions the kernel drops, a server ends with 128 + the signal's number.

load lib/fluxshim

setup() {
    fluxshim_setup
    new_namespace=(unshare --pid --fork --mount-proc --kill-child)
    [ "$(id -u)" = 0 ] || new_namespace+=(--map-root-user)
    "${new_namespace[@]}" true 2>"$work/unshare.err" ||
        skip "no pid namespaces here: $(<"$work/unshare.err")"
}

teardown() {
    fluxshim_teardown
}

# start_as_init bare|shimmed SERVER OPTION...: leaves init_pid, as seen from outside.
start_as_init() {
    local preload=()

    [ "$1" = bare ] || preload=(env "LD_PRELOAD=$SHIM")
    start_program bare "${new_namespace[@]}" "${preload[@]}" "$SERVERS/$2" "${@:3}"
    wait_until_ready
    init_pid=$(tr -d ' ' <"/proc/$server_pid/task/$server_pid/children")
    remember_process "$init_pid"
}

# The end of unshare is the end of its child: its status, or its signal.
ends_as_init() { # SIGNAL STATUS SERVER OPTION...
    local limit_ms=1000

    [ "$3" != single ] || limit_ms=1500 # it serves the two one after the other
    export FLUX_HOOKS=$BUILD/my_hook.so MY_HOOK_FILE=$work/hook.$BASHPID
    export FLUX_CHECKPOINT=$work/state.$BASHPID
    start_as_init shimmed "${@:3}"
    start_inflight --slow 2 --path '/slow?ms=500'
    send_signal "$1" "$init_pid"
    await_exit
    await_client
    expect_equal "slow requests: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" "$2"
    expect_at_most "ms to the exit" "$exit_ms" "$limit_ms"
    expect_equal "lines of the hook" "$(wc -l <"$MY_HOOK_FILE")" 1
    expect_equal "pid in the checkpoint" "$(checkpoint_value "$FLUX_CHECKPOINT" .process.pid)" 1
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "PID 1 with the default action ends with 128 + the signal's number" {
    in_parallel 3 ends_as_init <<'END'
TERM 143 threaded
INT 130 threaded
TERM 143 single
TERM 143 epoll
INT 130 epoll
TERM 143 poll
TERM 143 select
END
}

@test "PID 1 that catches the signal ends in its own way" {
    in_parallel 3 ends_as_init <<'END'
TERM 7 threaded --signal siginfo
TERM 7 epoll --signal siginfo
INT 7 threaded --signal sigwait
TERM 7 epoll --signal signalfd
TERM 7 threaded --signal restart
END
}

@test "PID 1 that blocks the signal is ended at FLUX_SHUTDOWN_TIMEOUT" {
    FLUX_SHUTDOWN_TIMEOUT=1s start_as_init shimmed epoll --signal blocked
    send_signal TERM "$init_pid"
    await_exit
    expect_equal "exit status" "$exit_status" 143
    expect_at_least "ms to the exit" "$exit_ms" 990
    expect_at_most "ms to the exit" "$exit_ms" 1500
}
