# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Whatever is missing, wrong or refused: one clear line in the log, and the server serves and stops.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    HOOKS=$BUILD/tests/hooks
}

teardown() {
    fluxshim_teardown
}

# What it says, without the pid.
log_lines() {
    sed -E 's/^fluxshim\[[0-9]+\]: //' "$server_err"
}

# serves_and_stops COMMAND...: a request in flight is answered and the exit status is the bare one.
serves_and_stops() {
    start_program shimmed "$@"
    wait_until_ready
    start_inflight --slow 2 --path '/slow?ms=300'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
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

# says REGULAR_EXPRESSION: that, in one line, and nothing else.
says() {
    expect_match "log" "$(log_lines)" "^$1\$"
    expect_equal "lines in the log" "$(wc -l <"$server_err")" 1
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

# Hooks -------------------------------------------------------------------------------------------

runs_without_hook() { # PATH REASON
    FLUX_HOOKS=$1 FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    says "error: hook $1 will not run: $2"
    expect_equal "row in the checkpoint" \
        "$(checkpoint_value "$work/state" '.hooks[] | [.path, .status] | join(" ")')" "$1 not run"
}

@test "a hook that is missing, has no symbol, is no ELF file or is writable by others" {
    runs_without_hook "$work/none.so" 'No such file or directory'
    runs_without_hook "$HOOKS/without_symbol.so" \
        'it has neither flux_hook nor a function flux_cleanup'
    echo 'no ELF file' >"$work/text.so"
    runs_without_hook "$work/text.so" '(file too short|invalid ELF header)'
    head -c 3000 "$HOOKS/note.so" >"$work/half.so"
    runs_without_hook "$work/half.so" 'it is cut off: its segments go past the end of the file'
    head -c 50 "$HOOKS/note.so" >"$work/half.so"
    runs_without_hook "$work/half.so" 'file too short'
    runs_without_hook "$work" 'not a regular file'
    install -m 777 "$HOOKS/note.so" "$work/open.so"
    runs_without_hook "$work/open.so" "writable by everyone [^:]+: $work/open.so"
}

@test "a hook for another machine, or with symbols that nobody has" {
    # e_machine, behind e_ident and e_type: 0xffff is none.
    cp "$HOOKS/note.so" "$work/other.so"
    printf '\xff\xff' | dd of="$work/other.so" bs=1 seek=18 conv=notrunc status=none
    runs_without_hook "$work/other.so" '(wrong ELF|cannot open shared|.*machine).*'
    cp "$HOOKS/note.so" "$work/class.so"
    printf '\x01' | dd of="$work/class.so" bs=1 seek=4 conv=notrunc status=none
    runs_without_hook "$work/class.so" 'wrong ELF class: ELFCLASS32'
    runs_without_hook "$HOOKS/undefined.so" 'undefined symbol: flux_test_nowhere'
}

@test "a hook in a folder writable by others, or of another user" {
    install -d -m 777 "$work/open"
    install -m 755 "$HOOKS/note.so" "$work/open/note.so"
    runs_without_hook "$work/open/note.so" "writable by everyone [^:]+: $work/open"
    install -d -m 775 "$work/group"
    install -m 755 "$HOOKS/note.so" "$work/group/note.so"
    runs_without_hook "$work/group/note.so" "writable by its group [^:]+: $work/group"
    [ "$(id -u)" = 0 ] || skip "only root can give a file away"
    install -m 755 -o 1234 "$HOOKS/note.so" "$work/foreign.so"
    runs_without_hook "$work/foreign.so" \
        "it belongs to uid 1234, neither to root nor to this process: $work/foreign.so"
}

@test "a hook of another version of the ABI, or whose constant says what can't be" {
    runs_without_hook "$HOOKS/shape-1.so" \
        "it is built for version 2 of the hooks' ABI, and this is version 1"
    runs_without_hook "$HOOKS/shape-2.so" 'the size of its flux_hook is 8, and must be at least 24'
    runs_without_hook "$HOOKS/shape-5.so" 'its flux_hook has no name'
    runs_without_hook "$HOOKS/shape-6.so" \
        'the priority of its flux_hook is 1000001, allowed is 0 to 1000000'
    runs_without_hook "$HOOKS/shape-7.so" \
        'the scope of its flux_hook is 2, allowed is 0 \(family\) or 1 \(process\)'
}

@test "a hook of an older or a newer header runs" {
    for shape in shapes shape-3 shape-4; do
        FLUX_HOOKS=$HOOKS/$shape.so FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
        expect_equal "row of $shape" \
            "$(checkpoint_value "$work/state" '.hooks[] | "\(.name) \(.status) \(.state)"')" \
            "shapes ok null"
        expect_equal "log" "$(log_lines)" ""
    done
}

@test "a priority that is none, a built-in that there is none of" {
    FLUX_HOOKS=$HOOKS/fails.so=1000001 serves_and_stops "$SERVERS/threaded"
    says "error: hook $HOOKS/fails.so will not run: its priority is too large, allowed is 0 to 1000000"
    FLUX_HOOKS=$HOOKS/fails.so=-1 serves_and_stops "$SERVERS/threaded"
    says "error: hook $HOOKS/fails.so will not run: its priority is too small, allowed is 0 to 1000000"
    FLUX_HOOKS=nosuchhook serves_and_stops "$SERVERS/threaded"
    says "error: hook $BUILD/fluxshim/hooks/nosuchhook.so will not run: No such file or directory"
}

@test "200 hooks, and the same one twice: each runs; more than 256: the rest is told" {
    local list

    list=$(printf "$HOOKS/note.so:%.0s" {1..200})
    export HOOK_NOTES=$work/notes
    FLUX_HOOKS=$list serves_and_stops "$SERVERS/threaded" # cut off by the length of a setting
    expect_match "log" "$(log_lines)" '^warning: FLUX_HOOKS='
    ln -s "$HOOKS/note.so" n
    list=$(printf './n:%.0s' {1..200})
    FLUX_HOOKS=$list FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    expect_equal "ran" "$(wc -l <"$HOOK_NOTES")" 200
    expect_equal "rows" "$(checkpoint_value "$work/state" '[.hooks[] | select(.status == "ok")] | length')" 200
    expect_equal "log" "$(log_lines)" ""
    list=$(printf './n:%.0s' {1..300})
    FLUX_HOOKS=$list FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    says 'error: FLUX_HOOKS names more than 256 hooks; the rest will not run'
    expect_equal "rows" "$(checkpoint_value "$work/state" '.hooks | length')" 256
}

# ld.so preloads nothing into a setuid program, so this one is linked with the shim. What its caller
# says is not read: it serves, and its signal ends it at once.
@test "a setuid program: no variable is read, nothing is loaded" {
    local folder

    [ "$(id -u)" = 0 ] || skip "only root can make one that belongs to somebody else"
    folder=$(mktemp -d /tmp/secure.XXXXXX)
    chmod 755 "$folder"
    install -D -t "$folder/fluxshim" "$BUILD/fluxshim/engine.so"
    install -t "$folder" "$SHIM" "$HOOKS/note.so"
    "${CC:-cc}" -o "$folder/server" -x c - -x none "$folder/libfluxshim.so" -Wl,-rpath,"$folder" <<'END'
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    listen(fd, 5);
    puts("ready");
    fflush(stdout);
    for (;;)
        accept(fd, NULL, NULL);
}
END
    chmod 4755 "$folder/server"
    export FLUX_HOOKS=$folder/note.so FLUX_CHECKPOINT=/tmp/secure.state FLUX_LOG=debug
    start_program bare setpriv --reuid=65534 --regid=65534 --clear-groups "$folder/server"
    wait_until_ready
    expect_equal "of the engine and the hook" "$(grep -cE 'engine.so|note.so' "/proc/$server_pid/maps" || :)" 0
    grep -q libfluxshim.so "/proc/$server_pid/maps"
    stop_and_wait
    rm -r "$folder"
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
    [ ! -e /tmp/secure.state ]
}

# The array in the settings file ------------------------------------------------------------------

# array_says ELEMENT MESSAGE: that element, the second of three, will not run; the others do.
array_says() {
    local good="\"$HOOKS/note.so\""

    rm -f "$work/notes"
    echo "{\"checkpoint\": \"$work/state\", \"hooks\": [$good, $1, $good]}" >"$work/config"
    HOOK_NOTES=$work/notes FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "$2"
    expect_equal "the others" "$(<"$work/notes")" note.so$'\n'note.so
}

# wrong_element ELEMENT REASON [OBJECT]
wrong_element() {
    array_says "$1" \
        "error: hook ${3:-hooks\[2\]} will not run: config $work/config: hooks\[2\]$2"
    expect_equal "row" "$(checkpoint_value "$work/state" '.hooks[] | select(.status == "not run") |
        .error' | sed 's/.*hooks.2.//')" "${2//\\/}"
}

@test "an entry of the array that is wrong: file, entry, key and what is allowed; the others run" {
    local path="\"path\": \"$HOOKS/fails.so\"" is=$HOOKS/fails.so

    wrong_element 7 ' must be an object, or text'
    wrong_element '""' ' must be an object, or text'
    wrong_element null ' must be an object, or text'
    wrong_element '{}' ' must have a name or a path'
    wrong_element '{"config": 1}' ' must have a name or a path'
    wrong_element '{"path": 1}' '.path must be text'
    wrong_element '{"path": ""}' '.path must be text'
    wrong_element '{"name": "a/b.so"}' ".name must name a built-in hook: a path goes into 'path'"
    wrong_element "{$path, \"name\": \"file\"}" ' has both a name and a path, or one of them twice' "$is"
    wrong_element "{$path, \"priority\": -1}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"priority\": 1.5}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"priority\": 1e99}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"priority\": \"first\"}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"scope\": \"all\"}" '.scope must be "family" or "process"' "$is"
    wrong_element "{$path, \"scope\": 1}" '.scope must be "family" or "process"' "$is"
    wrong_element "{$path, \"timeout\": \"soon\"}" \
        '.timeout must be a duration such as 30, "1.5s", "250ms", "2m" or "1h"' "$is"
    wrong_element "{$path, \"timeout\": -1}" \
        '.timeout must be a duration such as 30, "1.5s", "250ms", "2m" or "1h"' "$is"
}

@test "a key that means nothing: told, and the hook runs" {
    array_says "{\"path\": \"$HOOKS/acts.so\", \"prio\": 1}" \
        "warning: config $work/config: hooks\[2\] can't have a key 'prio' \(allowed: name, path, priority, scope, timeout, config\)"
    expect_equal "row" "$(checkpoint_value "$work/state" '.hooks[1].status')" ok
}

@test "hooks of the wrong type, malformed, or too many" {
    echo '{"hooks": {"path": "a"}}' >"$work/config"
    FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "warning: config $work/config: hooks must be text, an array of hooks, a number, true or false: .*"
    echo '{"hooks": ["a", ]}' >"$work/config"
    FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "error: config $work/config: not valid JSON at line 1, column [0-9]+; none of it is used"
    jq -n "{hooks: [range(300) | {path: \"$HOOKS/note.so\"}], checkpoint: \"$work/state\"}" >"$work/config"
    HOOK_NOTES=$work/notes FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "error: config $work/config: hooks has more than 256 entries; the rest will not run"
    expect_equal "ran" "$(wc -l <"$work/notes")" 256
}

@test "FLUX_HOOKS goes before the array; a timeout of its own" {
    echo "{\"checkpoint\": \"$work/state\", \"hooks\": [{\"path\": \"$HOOKS/hangs.so\", \"timeout\": 0.2}]}" \
        >"$work/config"
    FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "warning: hook $HOOKS/hangs.so: timeout: .*"
    HOOK_NOTES=$work/notes FLUX_HOOKS=$HOOKS/note.so FLUX_CONFIG=$work/config \
        serves_and_stops "$SERVERS/threaded"
    expect_equal "rows" "$(checkpoint_value "$work/state" '.hooks[].name')" note
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
        ! grep -q -e 'for the descriptor table' -e 'descriptors only' "$server_err" ||
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
        FLUX_CHECKPOINT=$work/state serves_and_stops unshare -m bash -c \
            "umount -l /proc && exec $SERVERS/$server"
        expect_match "log" "$(log_lines)" '/proc'
        cat "$server_err"
        expect_equal "lines in the log" "$(wc -l <"$server_err")" 1
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
