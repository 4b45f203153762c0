# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A hook of scope family is called once for all processes of a server, one of scope process in each
# that drains; and state goes from one run to the next.

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

# scoped NAME CONFIG SCOPE: an element of the array.
scoped() {
    printf '{"path": "%s/%s.so", "config": "%s", "scope": "%s"}' "$hooks" "$1" "$2" "$3"
}

# Each worker serves a line, so each drains.
serve_and_stop() { # KIND
    start_fixture shimmed families "$1" 3
    start_inflight --proto line --slow 6 --send 'slow 400 a line' --expect 'a line'
    wait_for 5 all_serve
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 7
}

all_serve() {
    [ "$(grep '^serving' "$server_out" | sort -u | wc -l)" = 3 ]
}

count_of() { # LINE
    grep -cx "$1" "$HOOK_NOTES"
}

@test "prefork: family once, process in the owner and in each worker" {
    for kind in prefork prefork-poll; do
        rm -f "$HOOK_NOTES"
        FLUX_CONFIG=$(settings_file "$(scoped tells f family)" "$(scoped tells p process)") \
            serve_and_stop "$kind"
        expect_equal "init of either" "$(count_of 'f init') $(count_of 'p init')" "1 1"
        expect_equal "cleanup of scope family" "$(count_of 'f cleanup')" 1
        expect_equal "cleanup of scope process" "$(count_of 'p cleanup')" 4
        expect_equal "drain events" "$(count_of 'f event hooks') $(count_of 'p event hooks')" "1 4"
        expect_equal "rows" "$(rows '"\(.name) \(.scope) \(.status)"')" \
            "tells family ok"$'\n'"tells process ok"
        expect_equal "stderr" "$(<"$server_err")" ""
    done
}

# The good one's cleanup in each process, whatever the other does in each.
@test "in a worker too, one that hangs, crashes or exits costs only itself" {
    for deed in hang segv exit; do
        rm -f "$HOOK_NOTES"
        FLUX_CONFIG=$(settings_file "$(scoped acts "cleanup $deed" process)" \
            "$(scoped tells p process)") serve_and_stop prefork
        expect_equal "cleanups after $deed" "$(count_of 'p cleanup')" 4
        expect_equal "told by each process" "$(grep -c 'warning: hook [^ ]*/acts.so: ' "$server_err")" 4
        expect_at_most "ms to the exit" "$exit_ms" 2000
    done
}

# The workers are programs of their own, which open the hooks themselves.
@test "exec'd members: init and cleanup of scope family once, of scope process in each" {
    for kind in gives-connections leaves-listener; do
        rm -f "$HOOK_NOTES"
        FLUX_CONFIG=$(settings_file "$(scoped tells f family)" "$(scoped tells p process)") \
            FLUX_RUN_DIR=$work/run start_fixture shimmed relatives "$kind" 3
        start_inflight --proto line --slow 3 --send 'slow 500 a line' --expect 'a line'
        wait_for 10 all_serve
        stop_and_wait
        await_client
        expect_equal "client: $client_last; status" "$client_status" 0
        expect_equal "exit status" "$exit_status" 7
        expect_equal "init and cleanup of scope family" \
            "$(count_of 'f init') $(count_of 'f cleanup')" "1 1"
        expect_equal "init and cleanup of scope process" \
            "$(count_of 'p init') $(count_of 'p cleanup')" "4 4"
        expect_equal "stderr" "$(<"$server_err")" ""
    done
}

@test "the configuration goes before the hook's own scope and priority" {
    FLUX_CONFIG=$(settings_file "$(scoped tells last family)" \
        "{\"path\": \"$hooks/tells.so\", \"config\": \"first\", \"priority\": 10}") \
        serve_and_stop prefork
    expect_equal "order" "$(grep cleanup "$HOOK_NOTES" | paste -sd ' ')" \
        "first cleanup last cleanup"
    expect_equal "rows" "$(rows '"\(.priority) \(.state.label)"')" "10 first"$'\n'"100 last"
}

# State -------------------------------------------------------------------------------------------

run_once() { # CONFIG
    rm -f "$HOOK_NOTES"
    FLUX_CONFIG=$1 start_server shimmed threaded
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
}

restored() {
    grep restore "$HOOK_NOTES" | sed 's/,"pid":[0-9]*//' || :
}

@test "each hook gets its own state back at the next start, also two of one name" {
    config=$(config_of tells one tells two)
    run_once "$config"
    expect_equal "at the first start" "$(restored)" ""
    expect_equal "state" "$(rows .state.label)" one$'\n'two
    run_once "$config"
    expect_equal "at the second start" "$(restored)" \
        'one restore {"label":"one"}'$'\n''two restore {"label":"two"}'
    run_once "$(config_of tells one)"
    expect_equal "with one of them" "$(restored)" 'one restore {"label":"one"}'
}

@test "60000 bytes of state are kept, and restored to a hook that fails at it: told, not run" {
    run_once "$(config_of acts 'save some')"
    expect_equal "length" "$(rows '.state | length')" 60000
    run_once "$(config_of acts 'restore segv')"
    expect_match "stderr" "$(<"$server_err")" 'acts.so will not run: SIGSEGV in restore$'
}

@test "the largest state of the most hooks that there can be is read back" {
    local pairs=()

    for _ in {1..256}; do
        pairs+=(acts 'save most')
    done
    config=$(config_of "${pairs[@]}")
    run_once "$config"
    run_once "$config"
    expect_equal "generation" "$(checkpoint_value "$FLUX_CHECKPOINT" .generation)" 2
    expect_equal "states" "$(rows '.state | length' | sort | uniq -c | tr -s ' ')" " 256 65533"
}

@test "a checkpoint that is cut off: the one before it gives the state" {
    config=$(config_of tells one)
    run_once "$config"
    run_once "$config"
    head -c 300 "$FLUX_CHECKPOINT" >half && cat half >"$FLUX_CHECKPOINT"
    run_once "$config"
    expect_equal "from .prev" "$(restored)" 'one restore {"label":"one"}'
    expect_match "stderr" "$(<"$server_err")" 'state.json is no checkpoint, set aside'
}

@test "rows of a checkpoint that are not what they should be: no state, and the server serves" {
    for rows in 7 '[7, null, {}, {"name": 1}, {"name": "tells"}]' '{"name": "tells"}' \
        '[{"name": "tells", "state": null}]'; do
        printf '{"schema": "fluxshim/1", "generation": 1, "hooks": %s}' "$rows" >"$FLUX_CHECKPOINT"
        run_once "$(config_of tells one)"
        expect_equal "restored from $rows" "$(restored)" ""
        expect_match "stderr" "$(<"$server_err")" '^(.*set aside as state.json.corrupt-1)?$'
        rm -f "$FLUX_CHECKPOINT"*
    done
}
