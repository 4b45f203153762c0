# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of lib/fluxshim, and results for the tests
# What the tests of fluxctl's answers share: runs, JSON without what differs each time, terminals.

FLUXCTL=${FLUXCTL:-$BUILD/fluxctl}

fluxctl_setup() {
    fluxshim_setup
    export FLUX_RUN_DIR=$work/run
    mkdir "$FLUX_RUN_DIR"
}

fluxctl_teardown() {
    end_terminal
    remember_children
    fluxshim_teardown
}

# A master that is killed leaves its workers behind; what they print names them.
remember_children() {
    local pid

    while read -r pid; do
        [[ $(readlink "/proc/$pid/exe") != */families && $(readlink "/proc/$pid/exe") != */python3* ]] ||
            remember_process "$pid"
    done < <(sed -n 's/^worker //p; s/^daemon //p' "$work"/server.*.out 2>/dev/null)
}

# fluxctl ARGUMENT...: leaves ctl_status, ctl_out and ctl_err.
fluxctl() {
    ctl_status=0
    timeout 20 "$FLUXCTL" "$@" >"$work/ctl.out" 2>"$work/ctl.err" </dev/null 3>&- || ctl_status=$?
    ctl_out=$(<"$work/ctl.out") ctl_err=$(<"$work/ctl.err")
}

expect_ctl() { # STATUS
    expect_equal "status of fluxctl ($ctl_out $ctl_err)" "$ctl_status" "$1"
}

# start_watch ARGUMENT...: in the background, until its first line. Leaves watch_pid and watch_out.
start_watch() {
    new_name watch
    watch_out=$name
    timeout 30 "$FLUXCTL" watch "$@" >"$watch_out" 2>"$watch_out.err" </dev/null 3>&- 4>&- &
    watch_pid=$!
    remember_process "$watch_pid"
    wait_for 10 has_begun
}

has_begun() {
    [ -s "$watch_out" ] || ! is_running "$watch_pid"
}

# Leaves watch_status.
await_watch() {
    await_process "$watch_pid" 25
    watch_status=$process_status
    expect_equal "stderr of watch" "$(<"$watch_out.err")" ""
}

# A document, or one a line, compact, keys in their order: pids, ports, times and sizes as words.
normalized() { # FILE
    jq -c --arg work "$work" '
        def address: sub("^127\\.[0-9.]+:[0-9]+$"; "LOOPBACK:PORT");
        def known: {pid: "PID", uid: "UID", fd: "FD", file: "FILE", backlog: "BACKLOG",
                    bytes_received: "BYTES", bytes_sent: "BYTES", holders: "HOLDERS"};
        walk(if type == "object" then with_entries(
                if .key | endswith("_ms") then .value |= (if . == null then . else "MS" end)
                elif known[.key] and (.value | type) != "null" then .value = known[.key]
                elif .key == "address" or .key == "local" or .key == "peer" then .value |= address
                elif .key == "value" then .value |= gsub($work; "WORK")
                else . end)
            else . end)' "$1"
}

# expect_golden WHAT ACTUAL EXPECTED: texts of many lines.
expect_golden() {
    [ "$2" = "$3" ] && return
    printf '%s: < is, > should be\n' "$1"
    diff <(echo "$2") <(echo "$3")
}

# Nothing that a terminal would act on: bytes of C0 but for newline and tab, DEL.
expect_visible() { # WHAT FILE
    if LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' "$2"; then
        printf '%s has control characters:\n' "$1"
        cat -v "$2"
        return 1
    fi
}

# Terminals ---------------------------------------------------------------------------------------

need_tmux() {
    command -v tmux >/dev/null || skip "tmux is not installed"
}


# start_terminal COLUMNS ROWS COMMAND: a shell command at a terminal of that size.
start_terminal() {
    terminal_socket=fluxshim-$$-$BATS_TEST_NUMBER
    tmux -L "$terminal_socket" -f /dev/null new-session -d -x "$1" -y "$2" "$3; sleep 30" 3>&- 4>&-
}

at_terminal() {
    tmux -L "$terminal_socket" "$@" 3>&- 4>&-
}

# What stands there: one line a row.
screen() {
    at_terminal capture-pane -p
}

# For wait_for.
screen_has() { # REGULAR_EXPRESSION
    screen | grep -qE -- "$1"
}

end_terminal() {
    [ -z "${terminal_socket:-}" ] || tmux -L "$terminal_socket" kill-server 2>/dev/null || :
}
