# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl run: the program gets the library and the settings, and is all that is left.

load lib/fluxshim
load lib/fixtures
load lib/fluxctl

setup() {
    fluxshim_setup
    unset LD_PRELOAD
    export FLUX_RUN_DIR=$work/run
    mkdir "$FLUX_RUN_DIR"
}

teardown() {
    fluxshim_teardown
}

# expect_run STATUS STDERR ARGUMENT...
expect_run() {
    local status=$1 error=$2

    shift 2
    fluxctl run "$@"
    expect_equal "status of run $* ($ctl_out $ctl_err)" "$ctl_status" "$status"
    expect_match "stderr of run $*" "$ctl_err" "$error"
}

# The value of NAME in the environment of what is run.
value_of() {
    "$BUILD/fluxctl" run -q "${@:2}" -- printenv "$1"
}

# settings: their names, as the README's table has them.
settings() {
    "$BUILD/tests/unit/print_settings" | sed -n 's/^| `FLUX_\([A-Z_]*\)`.*/\1/p'
}

@test "a server is started under the library, and drains" {
    start_program bare "$BUILD/fluxctl" run --idle 200ms "$SERVERS/epoll"
    wait_until_ready
    expect_match "maps" "$(</proc/"$server_pid"/maps)" "$SHIM"
    start_inflight --slow 2 --path '/slow?ms=300'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "the program's exit status is its own, and its options are, too" {
    expect_run 7 '^$' -q sh -c 'exit 7'
    expect_run 0 '^$' -q -- echo --quiet -h
    expect_equal "output" "$ctl_out" "--quiet -h"
}

@test "every setting has an option" {
    local name option value names=()

    mapfile -t names < <(settings)
    expect_at_least "settings" "${#names[@]}" 16
    for name in "${names[@]}"; do
        option=${name,,}
        case $name in
        SIGNALS) value=HUP ;;
        LOG) value=info:/x ;;
        HTTP | ON_EXIT | DISABLE) value=off ;;
        CHECKPOINT | HOOKS | STATE_FILES | RUN_DIR | CONFIG) value=/x ;;
        *) value=7s ;;
        esac
        expect_equal "--${option//_/-}" "$(value_of "FLUX_$name" "--${option//_/-}" "$value")" "$value"
    done
}

@test "--drain is --drain-timeout, and an option wins over the environment" {
    expect_equal "drain" "$(FLUX_DRAIN_TIMEOUT=1s value_of FLUX_DRAIN_TIMEOUT --drain 9s)" 9s
    expect_equal "joined with =" "$(value_of FLUX_DRAIN_TIMEOUT --drain-timeout=9s)" 9s
    expect_equal "left alone" "$(FLUX_DRAIN_TIMEOUT=1s value_of FLUX_DRAIN_TIMEOUT)" 1s
}

@test "--hook may be given several times" {
    expect_equal "hooks" "$(value_of FLUX_HOOKS --hook notify --hook /a/b.so=5)" notify:/a/b.so=5
    expect_equal "behind --hooks" "$(value_of FLUX_HOOKS --hook c --hooks a:b=1 --hook d)" a:b=1:c:d
}

@test "a value that can't be is refused, with what is allowed, and nothing is started" {
    expect_run 125 '--drain-timeout=soon: allowed is a duration such as' --drain-timeout soon touch started
    expect_run 125 '--drain=-1: allowed is' --drain=-1 touch started
    expect_run 125 '--http=2: allowed is on, off' --http 2 touch started
    expect_run 125 '--signals=KILL: allowed is' --signals KILL touch started
    expect_run 125 "--log=x\\\\x1b\\[m: allowed is" --log $'x\e[m' touch started
    expect_run 125 '--hook=.*: allowed is a list' --hook "$(printf 'x%.0s' {1..4097})" touch started
    expect_run 125 'a value is missing' --drain-timeout
    expect_run 125 'no such option' --no-such touch started
    expect_run 125 'too few arguments'
    [ ! -e started ]
}

@test "not found is 127, not to be executed 126, as with env" {
    touch plain
    expect_run 127 'no-such-program: No such file' no-such-program
    expect_run 127 'No such file' ./no-such-program
    expect_run 126 'Permission denied' -q ./plain
    expect_run 126 'Permission denied' -q "$work"
}

@test "the library comes before what is preloaded, and a relative path becomes absolute" {
    local library=$SHIM

    expect_equal "alone" "$(value_of LD_PRELOAD)" "$library"
    expect_equal "before" "$(LD_PRELOAD=libm.so.6 value_of LD_PRELOAD)" "$library:libm.so.6"
    cp "$SHIM" own.so
    expect_equal "relative" "$(value_of LD_PRELOAD --library ./own.so)" "$work/own.so"
    expect_equal "without a folder" "$(value_of LD_PRELOAD --library own.so)" "$work/own.so"
    expect_run 125 '--library=none.so: No such file' --library none.so touch started
    cp own.so 'a b.so'
    expect_run 125 "LD_PRELOAD can't have a path with ':' or a blank" --library 'a b.so' touch started
    [ ! -e started ]
}

@test "without its library fluxctl starts nothing" {
    cp "$BUILD/fluxctl" alone
    [ ! -e /usr/local/lib/libfluxshim.so ] && ! ldconfig -p | grep -q libfluxshim || skip "fluxshim is installed here"
    ctl_status=0
    ctl_err=$(./alone run touch started 2>&1) || ctl_status=$?
    expect_equal "status" "$ctl_status" 125
    expect_match "stderr" "$ctl_err" "isn't found: --library says where"
    [ ! -e started ]
}

@test "a program in which it can't work is started with a warning, or quietly" {
    echo 'int main(void) { return 3; }' >s.c
    cc -static -o s s.c
    expect_run 3 'will not be shut down gracefully: It is linked statically' ./s
    expect_run 3 '^$' --quiet ./s
}
