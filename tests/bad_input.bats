# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Whatever is missing, wrong or refused: one clear line in the log, and the server serves and stops.

load lib/fluxshim
load lib/fixtures
load lib/bad_input

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

# The same where no drain is possible: it serves, and its signal ends it at once.
serves_and_stops_as_bare() {
    start_program shimmed "$@"
    wait_until_ready
    "$TOOLS/inflight" --connect "$server_address" --slow 2 --path '/slow?ms=50' 3>&-
    start_inflight --stuck 1
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "ms to the exit" "$exit_ms" 1000
}

# Settings ----------------------------------------------------------------------------------------

DURATION='a duration such as 30, 1\.5s, 250ms, 2m or 1h, at most 8784h \(366 days\)'
SWITCH='on, off, true, false, yes, no, 1 or 0'

# wrong NAME VALUE ALLOWED DEFAULT
wrong() {
    (
        export "$1=$2"
        serves_and_stops "$SERVERS/threaded"
        says "warning: $1=$2 is not valid \(allowed: $3\): using $4"
    )
}

@test "a setting that can't be parsed: its name, value, what is allowed, and the default is used" {
    local setting

    for name in FLUX_DRAIN_TIMEOUT=30s FLUX_SHUTDOWN_TIMEOUT=60s FLUX_IDLE=500ms \
        FLUX_HOOK_TIMEOUT=5s; do
        wrong "${name%=*}" soon "$DURATION" "${name#*=}"
    done
    wrong FLUX_DRAIN_TIMEOUT -1s "$DURATION" 30s
    wrong FLUX_LAME_DUCK 9999h "off, or $DURATION" 0
    wrong FLUX_CHECKPOINT_INTERVAL 1d "off, or $DURATION" off
    wrong FLUX_HTTP maybe "$SWITCH" on
    wrong FLUX_ON_EXIT 2 "$SWITCH" on
    wrong FLUX_DISABLE perhaps "$SWITCH" unset
    wrong FLUX_SIGNALS KILL 'a comma list of TERM, [^)]*' TERM,INT
    wrong FLUX_LOG loud 'error, warn, info or debug, [^)]*' warn:stderr
}

@test "a path that is too long: told, and none is used" {
    local long

    long=/$(printf '%01100d' 0)
    FLUX_CHECKPOINT=$long serves_and_stops "$SERVERS/threaded"
    expect_match "log" "$(log_lines)" 'FLUX_CHECKPOINT=.*'
    expect_equal "lines in the log" "$(wc -l <"$server_err")" 1
}

@test "all of them wrong at once: a line each" {
    local setting
    local wrong_ones=(DRAIN_TIMEOUT SHUTDOWN_TIMEOUT LAME_DUCK IDLE HTTP SIGNALS ON_EXIT DISABLE
        CHECKPOINT_INTERVAL HOOK_TIMEOUT LOG)

    for setting in "${wrong_ones[@]}"; do
        export "FLUX_$setting=?"
    done
    serves_and_stops "$SERVERS/epoll"
    for setting in "${wrong_ones[@]}"; do
        expect_equal "lines about FLUX_$setting" \
            "$(log_lines | grep -c "^warning: FLUX_$setting=[?] is not valid (allowed: ")" 1
    done
    expect_equal "lines in the log" "$(wc -l <"$server_err")" "${#wrong_ones[@]}"
}

@test "a settings file that is missing or wrong: told, and the rest is used" {
    FLUX_CONFIG=$work/none serves_and_stops "$SERVERS/threaded"
    says "error: config $work/none cannot be read: No such file or directory"
    echo '{"idle": ' >"$work/half"
    FLUX_CONFIG=$work/half serves_and_stops "$SERVERS/threaded"
    says "error: config $work/half: not valid JSON at line [0-9]+, column [0-9]+; none of it is used"
    echo "{\"idle\": \"soon\", \"checkpoint\": \"$work/state\"}" >"$work/wrong"
    FLUX_CONFIG=$work/wrong serves_and_stops "$SERVERS/threaded"
    says "warning: config $work/wrong: idle = 'soon' is not allowed: $DURATION"
    expect_equal "reason in the checkpoint" "$(checkpoint_value "$work/state" .reason)" signal
}

@test "a log file that can't be written: the lines go to stderr" {
    FLUX_IDLE=soon FLUX_LOG=$work/none/log serves_and_stops "$SERVERS/threaded"
    expect_match "stderr" "$(log_lines)" 'FLUX_IDLE=soon is not valid'
}

# Checkpoint --------------------------------------------------------------------------------------

# Warned of at the start, and told again at the end.
writes_no_checkpoint() { # PATH REASON COMMAND...
    FLUX_CHECKPOINT=$1 serves_and_stops "${@:3}"
    expect_match "first line" "$(log_lines | head -n 1)" "^warning: checkpoint $1: .*$2"
    expect_match "last line" "$(log_lines | tail -n 1)" "^error: checkpoint $1 .*$2"
    expect_equal "lines in the log" "$(wc -l <"$server_err")" 2
}

@test "a checkpoint's folder that is missing" {
    writes_no_checkpoint "$work/none/state" 'No such file or directory' "$SERVERS/threaded"
}

@test "a checkpoint's folder that is not writable" {
    local command=("$SERVERS/threaded")

    mkdir -m 500 "$work/closed"
    if [ "$(id -u)" = 0 ]; then # root without the privilege to write anywhere
        command=(setpriv "--bounding-set=-dac_override,-dac_read_search" "${command[@]}")
    fi
    writes_no_checkpoint "$work/closed/state" 'Permission denied' "${command[@]}"
    expect_equal "files" "$(ls -A "$work/closed")" ""
}

@test "a checkpoint's path at which there is a folder" {
    mkdir "$work/state"
    FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    expect_match "first line" "$(log_lines | head -n 1)" '^warning: checkpoint .*a folder'
    [ -d "$work/state" ]
}

# The kernel --------------------------------------------------------------------------------------

needs_seccomp() {
    local status=0

    "$FIXTURES/deny" threads true || status=$?
    [ "$status" != 77 ] || skip "this kernel has no seccomp filters, or doesn't allow them"
}

refuses_otherwise() { # DENIAL
    needs_seccomp
    serves_and_stops "$FIXTURES/deny" "$1" "$SERVERS/threaded"
    says 'warning: SO_BINDTOIFINDEX failed \(errno 92\) on listener [0-9]+: refusing in another way'
    serves_and_stops "$FIXTURES/deny" "$1" "$SERVERS/epoll" --listen tcp6
    says 'warning: SO_BINDTOIFINDEX failed \(errno 92\) on listener [0-9]+: refusing in another way'
}

@test "a kernel without SO_BINDTOIFINDEX: the SYN filter refuses" {
    local result

    refuses_otherwise bind-to-interface
    start_program shimmed "$FIXTURES/deny" bind-to-interface "$SERVERS/epoll"
    wait_until_ready
    start_inflight --slow 1 --path '/slow?ms=600'
    send_signal TERM
    result=$("$TOOLS/knock" --connect "$server_address" --timeout-ms 200 3>&-)
    expect_match "connect during the drain" "$result" '^timeout '
    await_exit
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
}

@test "a kernel without SO_BINDTOIFINDEX and socket filters: the backlog refuses" {
    refuses_otherwise no-filter
}

@test "no new thread at the stop: what is in flight finishes, then the program gets its signal" {
    local server

    needs_seccomp
    for server in single epoll; do
        serves_and_stops "$FIXTURES/deny" threads "$SERVERS/$server"
        expect_match "log" "$(log_lines)" "error: the drain's thread could not be started"
        expect_at_most "lines in the log" "$(wc -l <"$server_err")" 2
    done
}

@test "no new process: the server goes on, and so does its drain" {
    needs_seccomp
    start_program shimmed "$FIXTURES/deny" forks "$FIXTURES/connection" fork
    wait_until_ready
    start_inflight --proto line --slow 1 --send 'slow 600 a line' --expect 'a line'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_match "server" "$(<"$server_out")" 'fork: EAGAIN'
    expect_at_least "ms to the exit" "$exit_ms" 500
    expect_equal "stderr" "$(<"$server_err")" ""
}

# Resources ---------------------------------------------------------------------------------------

# Where a container's hard limit can't be raised, a library tells the shim that it was.
million_descriptors() { # COMMAND...
    if (ulimit -n 1048576) 2>/dev/null; then
        million=(bash -c 'ulimit -n 1048576; exec "$@"' bash "$@")
    else
        million=(env LD_PRELOAD="$SHIM $BUILD/tests/hooks/million_descriptors.so" "$@")
    fi
}

# Bytes of the largest private mapping without a file, and how much of it is memory.
largest_mapping() {
    awk '/^[0-9a-f]+-[0-9a-f]+ / {anonymous = $2 == "rw-p" && NF == 5}
        /^Size:/ && anonymous && $2 > size {size = $2; taken = 1}
        /^Rss:/ && taken {rss = $2; taken = 0}
        END {print size * 1024, rss}' "/proc/$server_pid/smaps"
}

@test "RLIMIT_NOFILE of a million" {
    local million size rss

    million_descriptors "$SERVERS/epoll"
    FLUX_CHECKPOINT=$work/state serves_and_stops "${million[@]}"
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_equal "drained" "$(checkpoint_value "$work/state" .connections.drained)" 2
    start_program shimmed "${million[@]}"
    wait_until_ready
    read -r size rss < <(largest_mapping)
    expect_at_least "bytes of the table" "$size" $((1048576 * 16))
    expect_at_most "KiB of it in memory" "$rss" 64
    stop_and_wait
}

@test "the highest RLIMIT_NOFILE that is allowed: the memory is not used before it is needed" {
    local before after

    start_program shimmed bash -c "ulimit -n 1024; exec $SERVERS/epoll"
    wait_until_ready
    before=$(awk '/^Pss_Anon/ {print $2}' "/proc/$server_pid/smaps_rollup")
    stop_and_wait
    start_program shimmed bash -c "ulimit -n \$(ulimit -Hn); exec $SERVERS/epoll"
    wait_until_ready
    after=$(awk '/^Pss_Anon/ {print $2}' "/proc/$server_pid/smaps_rollup")
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_at_most "KiB more with $(ulimit -Hn) than with 1024 descriptors" \
        $((after - before)) 64
}

@test "a soft limit of 16 descriptors" {
    serves_and_stops bash -c "ulimit -Sn 16; exec $SERVERS/epoll"
    expect_equal "stderr" "$(<"$server_err")" ""
}

# starts_with KIB: of address space; true if the server can load and answer.
starts_with() {
    start_program shimmed bash -c "ulimit -v $1; exec $SERVERS/single"
    wait_for 5 is_ready_or_gone
    if file_has "$server_out" ready; then
        read_addresses
        "$TOOLS/inflight" --connect "$server_address" --slow 1 --path / 2>&1 3>&- && return
    fi
    stop_and_wait
    return 1
}

# From what the server needs by itself to where the shim has nothing to say. In between something is
# missing each time: the table, the engine, or the thread.
@test "a memory limit too small: for the table, the engine or the thread, and told each time" {
    local kib=2400 table=0 runs=0

    until starts_with "$kib"; do
        kib=$((kib + 20))
        expect_at_most "KiB to start" "$kib" 100000
    done
    while true; do
        stop_and_wait
        expect_equal "exit status with $kib KiB" "$exit_status" 143
        runs=$((runs + 1))
        [ -s "$server_err" ] || break
        expect_equal "lines with $kib KiB that are not the shim's" \
            "$(grep -vc '^fluxshim\[[0-9]*\]: ' "$server_err" || :)" 0
        ! grep -q -e 'for the settings' -e 'for the descriptor table' -e 'descriptors only' "$server_err" ||
            table=$((table + 1))
        kib=$((kib + 20))
        expect_at_most "KiB until nothing is missing" "$kib" 100000
        starts_with "$kib"
    done
    note "$runs runs; enough at $kib KiB; too little for the whole table in $table"
    expect_at_least "runs without memory for the table" "$table" 1
}

# A queue that is full: what the kernel has accepted is answered, one after the other.
@test "a full accept queue is served to its end" {
    FLUX_CHECKPOINT=$work/state start_server shimmed single --backlog 4
    start_inflight --slow 6 --path '/slow?ms=150'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_at_least "ms to the exit" "$exit_ms" 600
    expect_at_least "rescued" "$(checkpoint_value "$work/state" .connections.rescued)" 4
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "/proc not mounted" {
    local server

    unshare -m true 2>/dev/null || skip "no privilege for a mount namespace"
    for server in single threaded; do
        FLUX_LOG=info FLUX_CHECKPOINT=$work/state serves_and_stops unshare -m bash -c \
            "umount -l /proc && exec $SERVERS/$server"
        expect_match "log" "$(log_lines)" "info: /proc/self/fd can't be read"
        expect_equal "warnings in the log" "$(log_lines | grep -c '^\(warning\|error\)')" 0
        expect_equal "drained" "$(checkpoint_value "$work/state" .connections.drained)" 2
    done
}

# Where nobody reads the log ----------------------------------------------------------------------

@test "a FIFO without a reader as the log: the server waits for nobody" {
    mkfifo "$work/fifo"
    FLUX_LOG=debug:$work/fifo serves_and_stops "$SERVERS/threaded"
    FLUX_LOG=debug:$work/fifo serves_and_stops "$SERVERS/single"
}

# Its first line would raise SIGPIPE.
@test "a standard error that nobody reads" {
    local server

    for server in threaded single; do
        # shellcheck disable=SC2016
        FLUX_LOG=debug serves_and_stops perl -e '
            pipe my $reader, my $writer or die;
            open STDERR, ">&", $writer or die;
            close $_ for $reader, $writer;
            exec @ARGV' "$SERVERS/$server"
    done
}

# What the program is made of ---------------------------------------------------------------------

serves_line_and_stops() { # COMMAND...
    start_program shimmed "$@"
    wait_until_ready
    start_inflight --proto line --slow 1 --send 'slow 500 a line' --expect 'a line'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
}

@test "400 KiB of thread-local storage" {
    local mode

    for mode in alone thread; do
        [ "$mode" = thread ] || mode=
        # shellcheck disable=SC2086
        serves_line_and_stops "$FIXTURES/big_tls" $mode
        expect_equal "stderr" "$(<"$server_err")" ""
    done
}

@test "more listeners than there is room for: told once" {
    start_program shimmed "$FIXTURES/habits" listen-often
    wait_until_ready
    for _ in 1 2 3; do
        "$TOOLS/inflight" --connect "$server_address" --proto line --slow 1 \
            --send 'slow 0 a line' --expect 'a line' 3>&-
    done
    stop_and_wait
    says 'warning: more than 256 listeners: descriptor [0-9]+, .* neither refused nor drained'
    expect_equal "exit status" "$exit_status" 143
}

# From the filter on, a thread could be the call that kills: the program has its signal at once.
@test "a sandbox entered while a signal is held" {
    start_program shimmed "$FIXTURES/habits" enter-sandbox
    wait_until_ready
    start_inflight --proto line --slow 1 --send 'slow 300 a line' --expect 'a line'
    await_client
    await_exit
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 8
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_match "order" "$(tr '\n' ' ' <"$server_out")" 'raised handler sandboxed request '
}

# Its own parts -----------------------------------------------------------------------------------

# shim_with ENGINE: the shim in a folder of its own, with this file as its engine, or none.
shim_with() {
    mkdir -p "$work/shim/fluxshim"
    cp "$SHIM" "$work/shim/"
    rm -f "$work/shim/fluxshim/engine.so"
    [ "$1" = none ] || cp "$1" "$work/shim/fluxshim/engine.so"
    SHIM=$work/shim/libfluxshim.so
}

runs_without_engine() { # ENGINE LINE
    local server

    shim_with "$1"
    for server in single threaded; do
        serves_and_stops_as_bare "$SERVERS/$server"
        says "error: $2: running without fluxshim"
    done
}

@test "engine.so missing" {
    runs_without_engine none "can't load the engine: .*/fluxshim/engine.so: cannot open .*"
}

@test "engine.so no ELF file" {
    echo 'no ELF file' >"$work/text"
    runs_without_engine "$work/text" "can't load the engine: .*/fluxshim/engine.so: .*"
}

@test "engine.so of another version" {
    runs_without_engine "$BUILD/tests/hooks/other_engine.so" \
        'engine.so is of another version than libfluxshim.so'
}

@test "engine.so without its symbol" {
    runs_without_engine "$BUILD/tests/hooks/note.so" \
        'engine.so is of another version than libfluxshim.so'
}
