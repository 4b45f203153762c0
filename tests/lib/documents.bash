# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034 # variables of fluxshim.bash, and for the tests
# For the tests of fluxctl that work on checkpoint files. To be loaded behind lib/fluxshim.

# forced: three of 47 connections were ended, hooks failed. finished: the stop after that, of a
# family. older: forced, as it was before the course of a drain was recorded. quick: nothing to do.
DOCUMENTS=$(cd "${BASH_SOURCE[0]%/*}/../fixtures/checkpoints" && pwd)

# run_fluxctl ARGUMENT...: leaves ctl_status, ctl_out (also in the file ctl.out) and ctl_err.
run_fluxctl() {
    ctl_status=0
    "$BUILD/fluxctl" "$@" >"$work/ctl.out" 2>"$work/ctl.err" </dev/null 3>&- || ctl_status=$?
    ctl_out=$(<"$work/ctl.out") ctl_err=$(<"$work/ctl.err")
}

expect_ctl() { # STATUS
    expect_equal "status of fluxctl ($ctl_out $ctl_err)" "$ctl_status" "$1"
}

# changed FILTER [NAME]: a document (forced), changed by jq, on stdout.
changed() {
    jq "$1" "$DOCUMENTS/${2:-forced}.json"
}
