# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl report: a picture that is whole, true to the checkpoint, and needs nothing from elsewhere.

load lib/fluxshim
load lib/documents

setup() {
    fluxshim_setup
}

# Files made by hand break the schema on purpose; those of real stops are held against it.
teardown() {
    end_what_was_started
}

# pictured DOCUMENT FILE: makes the report, and leaves what is in it in $facts.
pictured() {
    run_fluxctl report "$1" -o "$2"
    expect_ctl 0
    facts=$(python3 "$BATS_TEST_DIRNAME/lib/check_picture.py" "$2")
}

expect_facts() { # LINE...
    local line

    for line in "$@"; do
        expect_match "what is in the picture" $'\n'"$facts"$'\n' $'\n'"$line"$'\n'
    done
}

# Pictures ----------------------------------------------------------------------------------------

@test "report: bars, the curve, what was ended by force and the figures that count" {
    pictured "$DOCUMENTS/forced.json" report.svg
    expect_facts 'phases 6' 'hooks 3' 'points 19' 'forced 1' 'falls True' \
        'text shop: 3 of 47 connections were ended' 'text 44 of 47' 'text 2.96 s' 'text 1 of 4' \
        'text SIGTERM' 'text 3 ended by force' 'text failed, 0.1 ms: cleanup did not return 0' \
        'text not run: No such file or directory'
}

@test "report: a quick stop without connections or hooks, one where all is well, and an older document" {
    pictured "$DOCUMENTS/quick.json" report.svg
    expect_facts 'phases 5' 'hooks 0' 'points 0' 'forced 0' 'text there were none'
    pictured "$DOCUMENTS/finished.json" report.svg
    expect_facts 'phases 5' 'hooks 3' 'points 4' 'forced 0' 'text shop: all 40 connections finished'
    pictured "$DOCUMENTS/older.json" report.svg
    expect_facts 'phases 6' 'hooks 3' 'points 0' 'text their course was not recorded'
}

@test "report: a server that went on" {
    changed '.reason = "periodic" | .signal = null | .began_at = null | .duration_ms = null | .refused_ms = null
             | .phases = [] | .connections.curve = [] | .connections.remaining = []
             | .hooks[].status = "serving" | .hooks[].start_ms = null' >serving.json
    pictured serving.json report.svg
    expect_facts 'phases 0' 'text written while it served' 'text connections open'
}

@test "report: whatever the numbers are, everything stays inside" {
    while read -r filter; do
        changed "$filter" >odd.json
        pictured odd.json report.svg
    done <<'END'
.duration_ms = 1e15 | .phases[0].start_ms = -1e15
.phases[].start_ms = 0 | .phases[].duration_ms = 0 | .duration_ms = 0 | .hooks = [] | .connections.curve = []
.duration_ms = 0.0001 | .phases = [] | .hooks = [] | .connections.curve = [[0, 900000000000000], [0, 0]]
.connections.curve[0] = [-5, 3] | .connections.forced = 999
.hooks = [range(256) as $i | .hooks[0] | .start_ms += $i]
END
    expect_facts 'hooks 60' 'text and 196 more'
}

# The page ----------------------------------------------------------------------------------------

@test "report: a page has the picture and all rows in tables" {
    pictured "$DOCUMENTS/forced.json" report.html
    expect_facts 'phases 6' 'hooks 3' 'points 19'
    for text in 192.0.2.2:40711 '1 min 1 s' '3.4 MB' 0.0.0.0:8080 /var/lib/shop/cart.db \
        /usr/lib/fluxshim/hooks/notify.so 81234; do
        grep -qF "$text" report.html
    done
    run_fluxctl report --format html "$DOCUMENTS/forced.json" -o -
    expect_equal "on stdout" "$ctl_out" "$(<report.html)"
}

# Hostile texts -----------------------------------------------------------------------------------

@test "report: texts of the file stay texts, in a picture and in a page" {
    changed '"</text><script>alert(1)</script>&\"'"'"'\u0000\u001b\uffff]]>" as $x | .process.name = $x | .hooks[].name = $x
             | .hooks[].error = $x | .hooks[].status = $x | .hooks[].path = $x | .listeners[].address = $x
             | .connections.remaining[].peer = $x | .connections.remaining[].why = $x
             | .phases[].name = $x | .signal.name = $x | .state_files[].path = $x | .state_files[].sha256 = $x' |
        sed 's/\\u0000//g' >bad.json
    pictured bad.json report.svg
    expect_facts 'phases 6' 'hooks 4'
    pictured bad.json report.html
    expect_equal "scripts" "$(grep -c '<script' report.html)" 0
    run_fluxctl report bad.json -o title.svg --title '<b>&</b>'
    expect_equal "the title" "$(grep -c '&lt;b&gt;&amp;&lt;/b&gt;' title.svg)" 2
}

# Where it is written -----------------------------------------------------------------------------

@test "report: written as a whole, with the modes that the umask leaves, and nothing beside it" {
    umask 027
    run_fluxctl report "$DOCUMENTS/forced.json" -o report.svg
    expect_equal "mode" "$(stat -c %a report.svg)" 640
    expect_equal "beside it" "$(compgen -G 'report.svg.*')" ""
    echo before >kept.svg
    run_fluxctl report nothing.json -o kept.svg
    expect_ctl 3
    expect_equal "what was there" "$(<kept.svg)" before
    run_fluxctl report "$DOCUMENTS/forced.json" -o nowhere/report.svg
    expect_ctl 3
}

@test "report: what is there and no regular file stays as it is" {
    ln -s "$work/elsewhere" link.svg
    mkfifo pipe.svg
    mkdir folder.svg
    for name in link pipe folder; do
        run_fluxctl report "$DOCUMENTS/forced.json" -o "$name.svg"
        expect_ctl 1
        expect_equal "what is said" "$ctl_err" "fluxctl: $name.svg: is there, and no regular file"
    done
    [ -L link.svg ] && [ -p pipe.svg ] && [ ! -e elsewhere ]
}

@test "report: what it takes" {
    run_fluxctl report "$DOCUMENTS/forced.json"
    expect_ctl 2
    run_fluxctl report "$DOCUMENTS/forced.json" -o x.svg --format png
    expect_ctl 2
    expect_equal "what is said" "${ctl_err%%$'\n'*}" "fluxctl: --format=png: allowed are svg and html"
    echo '{"schema":' >broken.json
    run_fluxctl report broken.json -o x.svg
    expect_ctl 1
    [ ! -e x.svg ]
}

# A real one --------------------------------------------------------------------------------------

@test "report: a real server's stop, with some ended by force and hooks that fail" {
    export FLUX_CHECKPOINT=$work/state.json FLUX_DRAIN_TIMEOUT=700ms FLUX_HOOK_TIMEOUT=200ms
    export FLUX_HOOKS=$BUILD/tests/hooks/counts.so:$BUILD/tests/hooks/fails.so:$BUILD/tests/hooks/hangs.so
    start_server shimmed threaded
    start_inflight --slow 4 --path '/slow?ms=200'
    start_inflight --slow 4 --path '/slow?ms=400'
    start_inflight --slow 2 --path '/slow?ms=9000'
    stop_and_wait
    every_checkpoint_is_valid
    pictured state.json report.svg
    expect_facts 'hooks 3' 'forced 1' 'text threaded: 2 of 10 connections were ended' \
        'text failed, .*' 'text timeout, .*'
    expect_at_least "points" "$(sed -n 's/points //p' <<<"$facts")" 4
    expect_equal "each hook after the one before" \
        "$(jq '[.hooks[].start_ms] | . == sort and all(. > 700)' state.json)" true
}
