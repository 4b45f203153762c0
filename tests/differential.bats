# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Programs of steps that once saw something else under the shim than bare (scripts/differential).

load lib/fluxshim

setup() {
    fluxshim_setup
    export FLUX_RUN_DIR=$work/run FLUX_LOG=error:$work/log
}

teardown() {
    fluxshim_teardown
}

# same FILE: each of three times.
same() {
    local i
    for i in 1 2 3; do
        run "$BUILD/tests/differential" compare "$SHIM" "$BATS_TEST_DIRNAME/differential/kept/$1"
        expect_equal "status ($output)" "$status" 0
    done
}

@test "a signalfd whose number was another's keeps its mask" {
    same signalfd_number_taken_over
}

@test "a signalfd that is kept over an exec hears of managed signals" {
    same signalfd_kept_over_exec
}

@test "a signal sent to a thread is that thread's when it is passed on" {
    same signal_to_a_thread_comes_first
}

@test "a handler that runs as vfork returns in the parent sees the program's mask" {
    same handler_as_vfork_returns
}

@test "rt_sigprocmask with no memory for the old mask is EFAULT" {
    same mask_told_to_no_memory
}

@test "the flags that sigset leaves are libc's" {
    same flags_of_sigset
}

@test "each program that is kept has a test" {
    local file
    for file in "$BATS_TEST_DIRNAME"/differential/kept/*; do
        expect_equal "tests of ${file##*/}" "$(grep -c "^    same ${file##*/}$" "$BATS_TEST_FILENAME")" 1
    done
}

@test "a handler that runs as its signal is unblocked sees the new mask" {
    same handler_asks_for_its_mask
}

@test "sa_flags that the kernel doesn't know don't read back" {
    same flags_that_nobody_knows
}

@test "a realtime signal that is pending isn't taken for the family" {
    same pending_signal_taken_for_the_family
}
