# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl diff: what is different between two checkpoints, and nothing that means nothing.

load lib/fluxshim
load lib/documents

setup() {
    fluxshim_setup
}

teardown() {
    end_what_was_started
}

@test "diff: two stops of one server" {
    run_fluxctl diff "$DOCUMENTS/forced.json" "$DOCUMENTS/finished.json"
    expect_ctl 1
    expect_equal "the differences" "$ctl_out" "$(<"$DOCUMENTS/forced-finished.txt")"
}

@test "diff: the same, and what differs only in what means nothing" {
    run_fluxctl diff "$DOCUMENTS/forced.json" "$DOCUMENTS/forced.json"
    expect_ctl 0
    expect_equal "what is said" "$ctl_out" ""
    changed '.process.pid = 9 | .written_at = "2027-01-01T00:00:00.000Z" | .duration_ms += 0.5
             | .phases[2].duration_ms += 0.9' >other.json
    run_fluxctl diff "$DOCUMENTS/forced.json" other.json
    expect_ctl 0
    run_fluxctl diff --json "$DOCUMENTS/forced.json" other.json
    expect_ctl 0
    expect_equal "JSON" "$(jq -c . <<<"$ctl_out")" '{"same":true,"differences":[]}'
}

differs() { # FILTER|ROW as JSON, a line each
    local filter row

    while IFS='|' read -r filter row; do
        changed "$filter" >new.json
        run_fluxctl diff --json "$DOCUMENTS/forced.json" new.json
        expect_ctl 1
        expect_equal "rows after $filter" "$(jq -c '.differences[]' <<<"$ctl_out")" "$row"
    done
}

@test "diff --json: each kind of difference, by itself" {
    differs <<'END'
.generation += 1|{"what":"head","name":"generation","old":7,"new":8,"difference":1}
.signal.name = "INT"|{"what":"head","name":"signal","old":"TERM","new":"INT"}
.exit_status = 3|{"what":"head","name":"exit_status","old":null,"new":3}
.phases[2].duration_ms = 500.5|{"what":"phase","name":"drain","old_ms":2500.003,"new_ms":500.5,"difference_ms":-1999.503}
del(.phases[3])|{"what":"phase","name":"force","old":"there","new":null}
.connections.forced = 0|{"what":"counter","name":"connections.forced","old":3,"new":0,"difference":-3}
.lifetime.stops = 9|{"what":"counter","name":"lifetime.stops","old":6,"new":9,"difference":3}
del(.listeners[0])|{"what":"listener","name":"0.0.0.0:8080","old":"blackhole","new":null}
.listeners[1].refusal = "none"|{"what":"listener","name":"unix:/run/shop.sock","old":"shutdown","new":"none"}
.hooks[1].status = "ok"|{"what":"hook","name":"redis","old":"failed","new":"ok"}
.hooks += [.hooks[0]]|{"what":"hook","name":"postgres","old":null,"new":"ok"}
.state_files[0].sha256 = null|{"what":"state file","name":"/var/lib/shop/cart.db","old":"abababababababababababababababababababababababababababababababab","new":"2026-11-26T08:40:59.120Z"}
END
}

@test "diff: what can't be compared" {
    run_fluxctl diff "$DOCUMENTS/forced.json" nothing.json
    expect_ctl 3
    run_fluxctl diff nothing.json "$DOCUMENTS/forced.json"
    expect_ctl 3
    echo '{' >broken.json
    run_fluxctl diff "$DOCUMENTS/forced.json" broken.json
    expect_ctl 1
    expect_equal "what is said" "$ctl_err" "fluxctl: broken.json: it is no JSON, or cut off"
    run_fluxctl diff "$DOCUMENTS/forced.json"
    expect_ctl 2
    run_fluxctl diff - -
    expect_ctl 2
}

@test "diff: names that are hostile are shown harmless" {
    changed '.listeners[0].address = "\u001b[2J\n" | .hooks[0].status = "\u0007"' >bad.json
    run_fluxctl diff "$DOCUMENTS/forced.json" bad.json
    expect_ctl 1
    expect_equal "control characters" "$(LC_ALL=C tr -d '\n -~\200-\377' <ctl.out | od -An -c)" ""
    expect_match "the address" "$ctl_out" '\\x1b\[2J\\x0a'
}
