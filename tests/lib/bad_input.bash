# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A server that is given something wrong: it serves and stops, and the log says what it was.

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

# says REGULAR_EXPRESSION: that, in one line, and nothing else.
says() {
    expect_match "log" "$(log_lines)" "^$1\$"
    expect_equal "lines in the log" "$(wc -l <"$server_err")" 1
}
