# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# The hook file: each action does one thing to one file, when its phase has come, and nothing else.

load lib/fluxshim
load lib/builtin_hooks

setup() {
    fluxshim_setup
}

teardown() {
    fluxshim_teardown
}

# file_entry ACTION...: an entry of the configuration.
file_entry() {
    local IFS=,

    printf '{"name": "file", "config": {"actions": [%s]}}' "$*"
}

# clean_up ACTION...: by hook_call; for result.
clean_up() {
    local IFS=,

    call_hook file "{\"actions\": [$*]}" cleanup
}

@test "fsync, truncate, unlink, rename, touch and write" {
    echo old | tee "$work/truncated" "$work/unlinked" "$work/renamed" "$work/written" >/dev/null
    touch -d '2001-01-01' "$work/touched"
    exec 9<"$work/written"
    umask 077
    clean_up "{\"do\": \"fsync\", \"path\": \"$work/truncated\"}" \
        "{\"do\": \"fsync\", \"path\": \"$work\"}" \
        "{\"do\": \"truncate\", \"path\": \"$work/truncated\"}" \
        "{\"do\": \"unlink\", \"path\": \"$work/unlinked\"}" \
        "{\"do\": \"rename\", \"path\": \"$work/renamed\", \"to\": \"$work/to\"}" \
        "{\"do\": \"touch\", \"path\": \"$work/touched\"}" \
        "{\"do\": \"touch\", \"path\": \"$work/made\", \"mode\": \"0640\"}" \
        "{\"do\": \"write\", \"path\": \"$work/written\", \"text\": \"new\\n\", \"mode\": \"0604\"}" \
        "{\"do\": \"write\", \"path\": \"$work/empty\", \"text\": \"\"}"
    expect_equal "result; $hook_output" "$(result)" 0
    [ -e "$work/truncated" ] && [ ! -s "$work/truncated" ]
    is_gone "$work/unlinked"
    is_gone "$work/renamed"
    expect_equal "renamed" "$(<"$work/to")" old
    [ -n "$(find "$work/touched" -newermt 2020-01-01)" ]
    expect_equal "mode of what touch made" "$(stat -c %a "$work/made")" 640
    expect_equal "written" "$(<"$work/written") $(stat -c %a "$work/written")" "new 604"
    expect_equal "who had the old one open has it still" "$(cat <&9)" old
    [ -e "$work/empty" ] && [ ! -s "$work/empty" ]
    expect_equal "nothing is left over" "$(find "$work" -maxdepth 1 -name '*.??????' | wc -l)" 0
}

@test "one that fails doesn't stop the others, and the first error counts" {
    clean_up "{\"do\": \"truncate\", \"path\": \"$work/none\"}" \
        "{\"do\": \"unlink\", \"path\": \"$work\"}" \
        "{\"do\": \"touch\", \"path\": \"$work/made\"}"
    expect_equal "result, ENOENT" "$(result)" 2
    exists "$work/made"
    expect_match "log" "$hook_output" "log 1 file: truncate $work/none: No such file or directory"
    expect_match "log" "$hook_output" "log 1 file: unlink $work: Is a directory"
}

@test "what must exist and what need not" {
    clean_up "{\"do\": \"unlink\", \"path\": \"$work/none\"}" \
        "{\"do\": \"truncate\", \"path\": \"$work/none\", \"must_exist\": false}" \
        "{\"do\": \"rename\", \"path\": \"$work/none\", \"to\": \"$work/to\", \"must_exist\": false}"
    expect_equal "result; $hook_output" "$(result)" 0
    for action in unlink fsync touch write; do
        text=
        [ "$action" != write ] || text=', "text": "x"'
        clean_up "{\"do\": \"$action\", \"path\": \"$work/none\", \"must_exist\": true $text}"
        expect_equal "result of $action, ENOENT" "$(result)" 2
        is_gone "$work/none"
    done
}

@test "no symlink is followed and no folder is removed" {
    echo precious >"$work/precious"
    touch -d '2001-01-01' "$work/precious"
    mkdir "$work/folder"
    for action in fsync truncate; do
        ln -sf precious "$work/link"
        clean_up "{\"do\": \"$action\", \"path\": \"$work/link\"}"
        expect_equal "result of $action, ELOOP" "$(result)" 40
    done
    clean_up "{\"do\": \"touch\", \"path\": \"$work/link\"}" \
        "{\"do\": \"write\", \"path\": \"$work/link\", \"text\": \"x\"}"
    expect_equal "result" "$(result)" 0
    expect_equal "the link became a file" "$(stat -c %F "$work/link")" "regular file"
    ln -sf precious "$work/link"
    clean_up "{\"do\": \"unlink\", \"path\": \"$work/link\"}"
    is_gone "$work/link"
    expect_equal "what it led to" "$(<"$work/precious")" precious
    expect_equal "its time" "$(stat -c %y "$work/precious" | cut -c 1-4)" 2001
    for action in unlink truncate; do
        clean_up "{\"do\": \"$action\", \"path\": \"$work/folder\"}"
        expect_equal "$action of a folder, EISDIR" "$(result)" 21
    done
    [ -d "$work/folder" ]
    clean_up "{\"do\": \"fsync\", \"path\": \"/dev/null\"}" "{\"do\": \"unlink\", \"path\": \"/dev/null\"}"
    expect_equal "a device, EINVAL" "$(result)" 22
    [ -c /dev/null ]
}

# ready_file_entry: written when the server serves, gone when its stop begins.
ready_file_entry() {
    file_entry "{\"do\": \"write\", \"path\": \"$work/ready\", \"text\": \"yes\\n\", \"when\": \"running\"}" \
        "{\"do\": \"unlink\", \"path\": \"$work/ready\", \"when\": \"lame_duck\", \"must_exist\": true}"
}

@test "a readiness file is there before the first connection and goes with the lame duck" {
    configure_hooks "$(ready_file_entry)"
    FLUX_LAME_DUCK=1s start_server shimmed threaded
    expect_equal "ready" "$(<"$work/ready")" yes
    send_signal TERM
    wait_for 1 is_gone "$work/ready"
    knock "$server_address"
    expect_equal "new connections" "$knock_result" accepted
    await_exit
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows" "$(hook_rows)" "file ok 0"
}

@test "without a lame duck it goes with the refusal, once, while requests are in flight" {
    configure_hooks "$(ready_file_entry)"
    start_server shimmed single
    expect_equal "ready" "$(<"$work/ready")" yes
    start_inflight --slow 1 --path '/slow?ms=2500' # two events of the drain
    send_signal TERM
    wait_for 2 is_gone "$work/ready"
    is_running "$server_pid"
    await_exit
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows" "$(hook_rows)" "file ok 0"
    expect_equal "stderr" "$(<"$server_err")" ""
}

@test "a failure in an earlier phase is the cleanup's too, and later phases have their turn" {
    configure_hooks "$(file_entry "{\"do\": \"fsync\", \"path\": \"$work/none\", \"when\": \"refuse\"}" \
        "{\"do\": \"touch\", \"path\": \"$work/hooks\"}" \
        "{\"do\": \"touch\", \"path\": \"$work/release\", \"when\": \"release\"}")"
    start_server shimmed threaded
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows" "$(hook_rows)" "file failed 2"
    exists "$work/hooks"
    exists "$work/release"
}

# A POSIX lock is lost when its process closes any descriptor of the file.
@test "a server that has locked its pid file keeps the lock" {
    configure_hooks "$(file_entry "{\"do\": \"truncate\", \"path\": \"$work/pid\", \"when\": \"lame_duck\"}" \
        "{\"do\": \"touch\", \"path\": \"$work/pid\", \"when\": \"lame_duck\"}")"
    find_python
    FLUX_LAME_DUCK=1s start_program shimmed "$python" -c "import fcntl, os, signal, socket
pid = open('$work/pid', 'w')
fcntl.lockf(pid, fcntl.LOCK_EX)
print(os.getpid(), file=pid, flush=True)
socket.socket().listen()
print('ready', flush=True)
signal.pause()"
    wait_until_ready
    [ -s "$work/pid" ]
    send_signal TERM
    wait_for 1 is_empty "$work/pid"
    run "$python" -c "import fcntl
fcntl.lockf(open('$work/pid', 'a'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    expect_match "another process" "$output" 'Resource temporarily unavailable'
    is_running "$server_pid"
    await_exit
}

is_empty() {
    [ ! -s "$1" ]
}
