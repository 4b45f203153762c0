# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of lib/fluxshim, and results for the tests
# Programs of tests/fixtures, run to their end with and without the shim.

FIXTURES=$BUILD/tests/fixtures

# start_fixture bare|shimmed NAME ARGUMENT...: one that serves; as start_server.
start_fixture() {
    start_program "$1" "$FIXTURES/$2" "${@:3}"
    wait_until_ready
}

# run_to_end bare|shimmed COMMAND...: leaves run_output (stdout), exit_status, server_err.
run_to_end() {
    start_program "$@"
    await_exit 15
    run_output=$(<"$server_out")
}

# expect_equal for texts of many lines.
expect_no_difference() { # WHAT ACTUAL EXPECTED
    [ "$2" = "$3" ] && return
    printf '%s: < is, > should be\n' "$1"
    diff <(echo "$2") <(echo "$3")
}

# same_as_bare COMMAND...: same output and exit status, and the shim has nothing to say.
same_as_bare() {
    local bare_output bare_status

    run_to_end bare "$@"
    bare_output=$run_output bare_status=$exit_status
    run_to_end shimmed "$@"
    expect_no_difference "output of $*" "$run_output" "$bare_output"
    expect_equal "exit status of $*" "$exit_status" "$bare_status"
    expect_equal "stderr of $*" "$(<"$server_err")" ""
}
