# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Killed at any system call of its shutdown, or refused one: a whole checkpoint is there afterwards.

load lib/fluxshim

setup() {
    fluxshim_setup
    command -v strace >/dev/null || skip "needs strace"
    state=$work/state.json
    export FLUX_CHECKPOINT=$state
}

teardown() {
    fluxshim_teardown
}

# Leaves generation: the highest of the two files. Fails if one is there that is not whole.
read_generation() {
    local file one

    generation=0
    for file in "$state" "$state.prev"; do
        [ -e "$file" ] || continue
        one=$(jq -e 'select(.schema == "fluxshim/1") | .generation' "$file") ||
            { echo "not whole: $file"; return 1; }
        ((one <= generation)) || generation=$one
    done
}


# stop_with INJECTION|none [TRACE]: one start and one stop, whose system calls are tampered with.
stop_with() {
    local strace tamper=("-einject=$1")

    [ "$1" != none ] || tamper=()
    start_server shimmed single
    strace -f -qq -o "${2:-/dev/null}" "${tamper[@]}" -p "$server_pid" 2>/dev/null 3>&- 4>&- &
    strace=$!
    remember_process "$strace"
    wait_for 5 is_traced_or_gone
    send_signal TERM 2>/dev/null || : # killed as soon as it was attached to
    await_exit
    await_process "$strace" 10
}

is_traced_or_gone() {
    ! is_running "$server_pid" || grep -q '^TracerPid:[[:space:]]*[1-9]' "/proc/$server_pid/status"
}

two_stops() {
    local _

    for _ in 1 2; do
        start_server shimmed single
        stop_and_wait
    done
}

# calls_of_a_stop: a line `CALL N` for the Nth CALL that any one thread makes in a shutdown.
calls_of_a_stop() {
    local -A counts=()
    local thread rest call n

    while read -r thread rest; do
        call=${rest%%(*}
        [[ $call =~ ^[a-z0-9_]+$ ]] || continue
        counts[$thread $call]=$((${counts[$thread $call]:-0} + 1))
        echo "$call ${counts[$thread $call]}"
    done <"$work/trace" | sort -u
}

@test "killed at each system call of the shutdown: the old or the new one, and the next start reads it" {
    local cases=0 before=3 old=0 new=0 i lines

    two_stops
    export FLUX_LOG=info
    stop_with "none" "$work/trace"
    mapfile -t lines < <(calls_of_a_stop)
    for ((i = 0; i < ${#lines[@]}; i++)); do
        stop_with "${lines[i]% *}:signal=KILL:when=${lines[i]#* }"
        expect_match "what the start has read" "$(<"$server_err")" "read, generation $before"$'\n'
        read_generation
        ((generation == before || generation == before + 1)) ||
            expect_equal "generation after a kill at ${lines[i]}" "$generation" "$before or one more"
        ((generation == before)) && old=$((old + 1)) || new=$((new + 1))
        before=$generation
        [ "$exit_status" != 137 ] || cases=$((cases + 1))
    done
    note "killed at $cases of ${#lines[@]} system calls: the old one is there $old times, the new one $new times"
    expect_at_least "cases" "$cases" 80
    expect_at_least "the old one" "$old" 1
    expect_at_least "the new one" "$new" 1
}

# The calls that the writer makes; `when` goes as far as they are made.
@test "no space, an I/O error, a read-only file system or a quota at each call of the writer" {
    local call error when before=2 cases=0 failed=0

    two_stops
    for call in write fsync renameat linkat openat; do
        for error in ENOSPC EIO EROFS EDQUOT; do
            for when in 1 2 3; do
                stop_with "$call:error=$error:when=$when"
                expect_equal "exit status, $error at $call $when" "$exit_status" 143
                expect_at_most "ms to stop" "$exit_ms" 5000
                read_generation
                ((generation == before || generation == before + 1)) ||
                    expect_equal "generation, $error at $call $when" "$generation" "$before or more"
                ((generation > before)) || failed=$((failed + 1))
                before=$generation
                cases=$((cases + 1))
            done
        done
    done
    note "$cases failures: the old one stayed $failed times"
    expect_at_least "old ones that stayed" "$failed" 20
    expect_equal "files" "$(echo state.json*)" "state.json state.json.prev"
}

@test "where a sandbox forbids a descriptor table of its own, it is written all the same" {
    two_stops
    stop_with close_range,unshare:error=EPERM
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
    read_generation
    expect_equal "generation" "$generation" 3
}
