# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl show: a checkpoint as a person reads it, whatever is in the file.

load lib/fluxshim
load lib/fixtures
load lib/documents

setup() {
    fluxshim_setup
}

# Files made by hand break the schema on purpose; those of real stops are held against it.
teardown() {
    end_what_was_started
}

# Golden text -------------------------------------------------------------------------------------

shows() { # NAME
    run_fluxctl show "$DOCUMENTS/$1.json"
    expect_ctl 0
    expect_equal "what is shown of $1" "$ctl_out" "$(<"$DOCUMENTS/$1.txt")"
}

@test "show: a stop with connections that were ended and hooks that failed" {
    LC_ALL=C.UTF-8 shows forced
}

@test "show: a family's stop where all finished, and a quick one without any" {
    LC_ALL=C.UTF-8 shows finished
    LC_ALL=C.UTF-8 shows quick
}

@test "show: an older document, without the course of its drain, is shown the same" {
    run_fluxctl show "$DOCUMENTS/older.json"
    expect_ctl 0
    expect_match "the outcome" "$ctl_out" '3 of 47 connections were ended'
}

@test "show: stdin is '-'" {
    ctl_status=0
    ctl_out=$("$BUILD/fluxctl" show - <"$DOCUMENTS/quick.json" 3>&-) || ctl_status=$?
    expect_equal "status" "$ctl_status" 0
    expect_match "what is shown" "$ctl_out" '^tiny \(pid 77\), generation 1'
}

@test "show: without UTF-8 the bars are of ASCII" {
    LC_ALL=C run_fluxctl show "$DOCUMENTS/forced.json"
    expect_match "a bar" "$ctl_out" 'drain .* ##########'
}

# JSON --------------------------------------------------------------------------------------------

@test "show --json: the same document, and what an older one lacks is null or empty" {
    run_fluxctl show --json "$DOCUMENTS/forced.json"
    expect_ctl 0
    expect_equal "the document" "$(jq -S . <<<"$ctl_out")" "$(jq -S . "$DOCUMENTS/forced.json")"
    run_fluxctl show --json "$DOCUMENTS/older.json"
    expect_equal "the curve" "$(jq -c .connections.curve <<<"$ctl_out")" '[]'
    expect_equal "the hooks" "$(jq -c '[.hooks[].start_ms]' <<<"$ctl_out")" '[null,null,null,null]'
    run_fluxctl show --json <(jq '. + {later: 1}' "$DOCUMENTS/forced.json")
    expect_equal "what is unknown" "$(jq .later <<<"$ctl_out")" null
}

# Terminals ---------------------------------------------------------------------------------------

# at_terminal COLUMNS ARGUMENT...: leaves $lines_out. The terminal ends its lines with CR LF.
at_terminal() {
    local columns=$1

    shift
    TERM=xterm LC_ALL=C.UTF-8 script -qec "stty cols $columns; $BUILD/fluxctl $*" /dev/null \
        </dev/null >"$work/terminal" 3>&-
    mapfile -t lines_out < <(tr -d '\r' <"$work/terminal")
}

@test "show: 20 columns are enough, and no line is longer" {
    local line plain columns=0

    at_terminal 20 show --color never "$DOCUMENTS/forced.json"
    expect_at_least "lines" "${#lines_out[@]}" 40
    for line in "${lines_out[@]}"; do
        plain=$(LC_ALL=C.UTF-8 printf '%s' "$line" | LC_ALL=C.UTF-8 wc -m)
        columns=$((plain > columns ? plain : columns))
    done
    expect_at_most "the longest line" "$columns" 20
}

@test "show: colours at a terminal, none in a pipe, with NO_COLOR or --color never" {
    at_terminal 100 show "$DOCUMENTS/forced.json"
    expect_match "at a terminal" "${lines_out[*]}" $'\033\\[31m'
    NO_COLOR=1 at_terminal 100 show "$DOCUMENTS/forced.json"
    [[ ${lines_out[*]} != *$'\033'* ]]
    at_terminal 100 show --color never "$DOCUMENTS/forced.json"
    [[ ${lines_out[*]} != *$'\033'* ]]
    run_fluxctl show "$DOCUMENTS/forced.json"
    [[ $ctl_out != *$'\033'* ]]
    run_fluxctl show --color always "$DOCUMENTS/forced.json"
    [[ $ctl_out == *$'\033['* ]]
}

# Hostile files -----------------------------------------------------------------------------------

@test "show: control characters, line ends and overrides of direction reach no terminal" {
    changed '.process.name = "a\u001b]0;x\u0007b" | .connections.remaining[0].peer = "unix:/a\nb\u202ec"
             | .hooks[1].error = "\u0000\u009b31m" | .state_files[0].path = "/\r/\u007f"
             | .signal.name = "T\u001b[2J" | .reason = "signal"' >bad.json
    run_fluxctl show bad.json
    expect_ctl 0
    expect_equal "control characters" "$(LC_ALL=C tr -d '\n -~\200-\377' <ctl.out | od -An -c)" ""
    expect_match "the name" "$ctl_out" 'a\\x1b\]0;x\\x07b'
    expect_match "the peer" "$ctl_out" 'unix:/a\\x0ab\\xe2\\x80\\xaec'
}

refuses_all() { # FILTER|MESSAGE of jq, a line each
    local filter message

    while IFS='|' read -r filter message; do
        changed "$filter" >wrong.json
        run_fluxctl show wrong.json
        expect_equal "status after $filter ($ctl_out)" "$ctl_status" 1
        expect_equal "what is said after $filter" "$ctl_err" "fluxctl: wrong.json: $message"
        expect_equal "what is shown" "$ctl_out" ""
    done
}

@test "show: what isn't as it should be is refused, and told by its place" {
    refuses_all <<'END'
.schema = "fluxshim/2"|schema: is not "fluxshim/1", which is all that this fluxctl knows
del(.schema)|schema: is missing, so this is no checkpoint
.generation = "7"|generation: is no whole number
.generation = -1|generation: is less than 0
.generation = 1.5|generation: is no whole number
.written_at = "today"|written_at: is no time
.process = []|process: is no object
.process.pid = null|process.pid: is no whole number
.signal.number = 65|signal.number: is no signal's
.signal.sender = 1|signal.sender: is no object
.second_signal = 0|second_signal: is neither true nor false
.duration_ms = 1e300|duration_ms: is out of range
.phases = {}|phases: is no array
.phases[1] = 5|phases[1]: is no object
.phases = [range(17)]|phases: has more rows than there can be
del(.hooks)|hooks: is missing
.hooks[3].ms = "fast"|hooks[3].ms: is no number
.connections.curve = [[0, 1], [0]]|connections.curve[1]: is no point
.connections.curve = [[5, 1], [4, 0]]|connections.curve[1]: is before the one that it follows
.connections.curve = [range(257)]|connections.curve: has more points than there can be
.connections.remaining[2].peer = 3|connections.remaining[2].peer: is no text
.lifetime.seconds = -3|lifetime.seconds: is less than 0
END
}

@test "show: what is no JSON, cut off, too deep, too large or not there" {
    local size

    size=$(stat -c %s "$DOCUMENTS/forced.json")
    for part in 1 2 3 5 9; do
        head -c $((size * part / 10)) "$DOCUMENTS/forced.json" >cut.json
        run_fluxctl show cut.json
        expect_equal "what is said" "$ctl_err" "fluxctl: cut.json: it is no JSON, or cut off"
        expect_ctl 1
    done
    changed '.hooks[0].state = "DEEP"' | sed "s/\"DEEP\"/$(printf '[%.0s' {1..90})$(printf ']%.0s' {1..90})/" >deep.json
    run_fluxctl show deep.json
    expect_match "what is said" "$ctl_err" 'too large, too deeply nested'
    expect_ctl 1
    printf '{"schema":"fluxshim/1","a":[%s0]}' "$(printf '0,%.0s' {1..500000})" >many.json
    run_fluxctl show many.json
    expect_ctl 1
    truncate -s 40M large.json
    run_fluxctl show large.json
    expect_ctl 1
    : >empty.json
    run_fluxctl show empty.json
    expect_ctl 1
    echo '[]' >array.json
    run_fluxctl show array.json
    expect_equal "what is said" "$ctl_err" "fluxctl: array.json: it is no JSON object"
    run_fluxctl show "$work"
    expect_ctl 1
    run_fluxctl show nothing.json
    expect_ctl 3
    run_fluxctl show
    expect_ctl 2
}

# A real one --------------------------------------------------------------------------------------

@test "show: a real server's stop" {
    local curve

    export FLUX_CHECKPOINT=$work/state.json
    start_server shimmed threaded
    start_inflight --slow 3 --path '/slow?ms=300'
    start_inflight --slow 2 --path '/slow?ms=500'
    stop_and_wait
    every_checkpoint_is_valid
    run_fluxctl show state.json
    expect_ctl 0
    expect_match "the headline" "$ctl_out" "^threaded \\(pid $server_pid\\), generation 1"
    expect_match "why" "$ctl_out" 'stopped by SIGTERM from process [0-9]+ of uid'
    expect_match "the outcome" "$ctl_out" 'all 5 connections finished'
    curve=$(jq -c '.connections.curve | [first[0], first[1], last[1], (map(.[0]) | . == sort)]' state.json)
    expect_equal "the curve: from 5 at the signal to 0, in order" "$curve" '[0,5,0,true]'
}

@test "show: a family's curve counts what all processes have" {
    export FLUX_CHECKPOINT=$work/state.json
    start_program shimmed "$FIXTURES/families" prefork 3
    wait_until_ready
    start_inflight --proto line --slow 3 --send 'slow 400 a line' --expect 'a line'
    wait_for 10 are_served 3
    stop_and_wait
    every_checkpoint_is_valid
    expect_equal "first and last" "$(jq -c '.connections.curve | [first, last[1]]' state.json)" '[[0,3],0]'
}

are_served() {
    [ "$(grep -c '^serving ' "$server_out")" -ge "$1" ]
}
