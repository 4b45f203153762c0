# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A hook that does something wrong costs only itself: those before and after it run, the checkpoint
# says what it did, and the program ends as it would.

load lib/fluxshim
load lib/fixtures
load lib/hooks

setup() {
    fluxshim_setup
    hooks_setup
}

teardown() {
    fluxshim_teardown
}

# What the three did, in their order.
expect_both_ran() {
    expect_equal "cleanups" "$(grep cleanup "$HOOK_NOTES")" "first cleanup"$'\n'"last cleanup"
    expect_equal "the good ones" "$(rows 'select(.name == "tells") | .status')" ok$'\n'ok
}

# costs_only_itself STATUS SERVER ERROR CONFIG...: CONFIG is what acts.so does; ~ is a space.
costs_only_itself() {
    local status=${1//\~/ } server=$2 error=${3//\~/ }

    FLUX_CONFIG=$(between_good_ones acts "${*:4}")
    export FLUX_CONFIG HOOK_NOTES=$FLUX_CONFIG.notes FLUX_CHECKPOINT=$FLUX_CONFIG.state
    start_server shimmed "$server"
    start_inflight --slow 1 --path '/slow?ms=100'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 1500
    expect_both_ran
    expect_equal "row" "$(rows 'select(.name == "acts") | .status, .error')" \
        "$status"$'\n'"$error"
}

misdeeds() {
    cat <<'END'
failed SERVER cleanup~did~not~return~0 cleanup error
timeout SERVER cleanup~did~not~return~in~time~and~was~left~behind cleanup hang
crashed SERVER SIGSEGV~in~cleanup cleanup segv
crashed SERVER SIGBUS~in~cleanup cleanup bus
crashed SERVER SIGFPE~in~cleanup cleanup fpe
crashed SERVER SIGILL~in~cleanup cleanup ill
crashed SERVER SIGABRT~in~cleanup cleanup raise
crashed SERVER SIGABRT:~cleanup~called~abort() cleanup abort
crashed SERVER SIGSEGV~in~cleanup cleanup overflow
crashed SERVER SIGSEGV~in~cleanup cleanup blocked-segv
exited SERVER cleanup~called~exit(3) cleanup exit
exited SERVER cleanup~called~_exit(4) cleanup _exit
exited SERVER cleanup~called~quick_exit(5) cleanup quick_exit
exited SERVER cleanup~called~pthread_exit() cleanup pthread_exit
exited SERVER cleanup~called~thrd_exit(6) cleanup thrd_exit
exited SERVER cleanup~called~pthread_cancel() cleanup cancel
exited SERVER cleanup~called~exit(3) cleanup errx
exited SERVER cleanup~called~exec() cleanup exec
END
}

@test "in cleanup of a single-threaded server" {
    in_parallel 3 costs_only_itself < <(misdeeds | sed 's/SERVER/single/')
}

@test "in cleanup of a threaded server" {
    in_parallel 3 costs_only_itself < <(misdeeds | sed 's/SERVER/threaded/')
}

@test "in an event, in save, and where a hook has its own way of ending: told for what it was" {
    in_parallel 3 costs_only_itself <<'END'
crashed single SIGSEGV~in~event event segv
exited threaded event~called~exit(3) event exit
timeout threaded event~did~not~return~in~time~and~was~left~behind event hang
crashed threaded SIGSEGV~in~save save segv
timeout single save~did~not~return~in~time~and~was~left~behind save hang
ok threaded what~save~wrote~is~not~JSON save text
ok single what~save~wrote~is~too~large save much
ok single what~save~wrote~is~too~large save endless
END
}

# The program's own SIGTERM and SIGINT stay what they were, and its child's end is its child's.
@test "one that ignores every signal, and one whose child crashes" {
    in_parallel 2 costs_only_itself <<'END'
ok single null cleanup ignore-all
ok threaded null cleanup ignore-all
ok threaded null event ignore-all
ok single null init ignore-all
ok single null cleanup fork
ok threaded null cleanup fork
END
}

# It is not the operator who is impatient.
@test "one that sends the process a second signal: the drain goes on" {
    FLUX_CONFIG=$(between_good_ones acts "event second")
    export FLUX_CONFIG
    for server in single threaded; do
        rm -f "$HOOK_NOTES"
        start_server shimmed "$server"
        start_inflight --slow 1 --path '/slow?ms=600'
        stop_and_wait
        await_client
        expect_equal "client: $client_last; status" "$client_status" 0
        expect_equal "exit status of $server" "$exit_status" 143
        expect_both_ran
    done
}

@test "one that changes root, folder and umask, and one whose thread-local value ends in a crash" {
    in_parallel 2 costs_only_itself <<'END'
ok single null cleanup move
ok threaded null event move
ok single null cleanup key
ok threaded null cleanup key
END
}

# Told at the start: it will not run, and the server serves.
@test "in init, restore and the first event: not run, with the reason, in the log at the start" {
    in_parallel 3 costs_only_itself <<'END'
not~run single init~returned~7~(Argument~list~too~long) init error
not~run single SIGSEGV~in~init init segv
not~run threaded SIGSEGV~in~init init overflow
not~run threaded SIGABRT:~init~called~abort() init abort
not~run single init~called~exit(3) init exit
not~run single init~called~pthread_exit() init pthread_exit
not~run single init~called~thrd_exit(6) init thrd_exit
not~run single init~called~exit(3) init errx
not~run threaded SIGSEGV~in~event running blocked-segv
END
    FLUX_CONFIG=$(between_good_ones acts "init segv") start_server shimmed threaded
    expect_match "stderr at the start" "$(<"$server_err")" \
        'error: hook [^ ]*/acts.so will not run: SIGSEGV in init$'
    stop_and_wait
}

@test "in init of a program that has blocked every signal" {
    FLUX_CONFIG=$(between_good_ones acts "init segv") start_program shimmed perl -MSocket -MPOSIX -e '
        my $all = POSIX::SigSet->new; $all->fillset; my $term = POSIX::SigSet->new(SIGTERM);
        sigprocmask SIG_SETMASK, $all or die;
        socket my $listener, AF_INET, SOCK_STREAM, 0 or die;
        listen $listener, 5 or die;
        $all = POSIX::SigSet->new; sigprocmask SIG_BLOCK, $all, my $now = POSIX::SigSet->new or die;
        syswrite STDOUT, "SEGV blocked: " . $now->ismember(SIGSEGV) . "\nready\n";
        POSIX::sigsuspend(POSIX::SigSet->new);'
    wait_until_ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_both_ran
    expect_match "its mask afterwards" "$(<"$server_out")" 'SEGV blocked: 1'
}

throws_at() { # WHERE STATUS PROGRAM...
    FLUX_CONFIG=$(between_good_ones throws "$1") start_program shimmed "${@:3}"
    wait_until_ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_both_ran
    expect_equal "row" "$(rows 'select(.name == "throws") | .status, .error')" \
        "$2"$'\n'"SIGABRT: $1 called abort()"
    rm "$HOOK_NOTES"
}

@test "an exception of C++, also where the program would catch it" {
    for server in "$SERVERS/single" "$SERVERS/threaded" "$FIXTURES/catches"; do
        throws_at init 'not run' "$server"
        throws_at event crashed "$server"
        throws_at cleanup crashed "$server"
    done
}

# Which leaves by itself, with 3.
@test "at an exit of the program" {
    local deed status
    local listens='import socket, sys
socket.socket().listen()
sys.exit(3)'

    while read -r status deed; do
        rm -f "$HOOK_NOTES"
        FLUX_CONFIG=$(between_good_ones acts "cleanup $deed") \
            start_program shimmed python3 -c "$listens"
        send_signal CONT
        await_exit
        expect_equal "exit status after $deed" "$exit_status" 3
        expect_at_most "ms to the exit" "$exit_ms" 1500
        expect_both_ran
        expect_equal "row after $deed" "$(rows 'select(.name == "acts") | .status')" "$status"
    done <<'END'
crashed segv
exited exit
exited _exit
exited thrd_exit
exited cancel
exited errx
crashed abort
timeout hang
END
}

# All of them hang: the shutdown's own timeout ends it.
@test "hooks that hang can't hold the process past FLUX_SHUTDOWN_TIMEOUT" {
    FLUX_CONFIG=$(config_of acts "event hang" acts "cleanup hang" acts "save hang" acts "cleanup hang")
    export FLUX_CONFIG FLUX_SHUTDOWN_TIMEOUT=1s FLUX_DRAIN_TIMEOUT=500ms FLUX_HOOK_TIMEOUT=10s
    for server in single threaded; do
        start_server shimmed "$server"
        stop_and_wait
        expect_equal "exit status of $server" "$exit_status" 143
        expect_at_most "ms to the exit" "$exit_ms" 1400
    done
}

# The same output, status and core as bare: fixtures/faults.c has its faults in the drain and while
# the hooks run.
@test "the program's own faults are its own while hooks run" {
    FLUX_CONFIG=$(config_of tells a acts "cleanup nap")
    export FLUX_CONFIG FLUX_HOOK_TIMEOUT=5s
    for kind in survive thread install abort raise fork one-shot ignored default; do
        same_as_bare "$FIXTURES/faults" "$kind"
    done
}

@test "one that crashes or hangs with a lock of libc's can't hold an exit past FLUX_SHUTDOWN_TIMEOUT" {
    export FLUX_CONFIG FLUX_SHUTDOWN_TIMEOUT=1s FLUX_DRAIN_TIMEOUT=500ms
    for deed in "cleanup segv-in-stdio" "release hang-in-stdio"; do
        FLUX_CONFIG=$(config_of acts "$deed")
        start_program shimmed "$FIXTURES/faults" print
        send_signal CONT
        await_exit
        expect_equal "exit status after $deed" "$exit_status" 7
        expect_at_most "ms to the exit" "$exit_ms" 1500
        expect_at_least "ms to the exit" "$exit_ms" 500 # else there was nothing to wait for
    done
}

# It hangs, is left behind, and wakes when the program has its signal and takes its time.
@test "one that calls exit() after the release ends itself" {
    FLUX_CONFIG=$(config_of acts "cleanup exit-late") start_program shimmed perl -MSocket -e '
        $SIG{TERM} = sub { select undef, undef, undef, 1; exit 7 };
        socket my $listener, AF_INET, SOCK_STREAM, 0 or die;
        listen $listener, 5 or die;
        syswrite STDOUT, "ready\n";
        select undef, undef, undef, 20;'
    wait_until_ready
    stop_and_wait
    expect_equal "exit status" "$exit_status" 7
    expect_at_least "ms to the exit" "$exit_ms" 1000
    expect_equal "row" "$(rows .status)" timeout
}

@test "a SIGABRT from outside while hooks run is the program's" {
    FLUX_HOOK_TIMEOUT=5s FLUX_CONFIG=$(config_of acts "cleanup nap") start_server shimmed threaded
    send_signal TERM
    wait_for 5 thread_exists acts
    send_signal ABRT
    await_exit
    expect_equal "exit status" "$exit_status" 134
}

# For wait_for: the server has a thread of that name.
thread_exists() {
    grep -qx "$1" "/proc/$server_pid/task"/*/comm 2>/dev/null
}
