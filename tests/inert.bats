# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Who never listens sees nothing of the shim, and a server that runs hardly more.

load lib/fluxshim

setup() {
    fluxshim_setup
    # None of these may be touched.
    export FLUX_CHECKPOINT=$work/state.json FLUX_HOOKS=$BUILD/tests/hooks/note.so
    export FLUX_LOG=debug:$work/log FLUX_RUN_DIR=$work/run HOOK_NOTES=$work/notes
}

teardown() {
    fluxshim_teardown
}

# bare_and_shimmed COMMAND...: leaves $bare and $shimmed, their outputs.
bare_and_shimmed() {
    bare=$("$@" 2>&1 3>&-)
    shimmed=$(LD_PRELOAD=$SHIM "$@" 2>&1 3>&-)
}

expect_same() { # WHAT
    expect_equal "$1" "$shimmed" "$bare"
}

expect_no_files() {
    expect_equal "files" "$(cd "$work" && echo state* log* run* notes*)" \
        "state* log* run* notes*"
}

# System calls ------------------------------------------------------------------------------------

# trace FILE COMMAND...: its system calls without pids, addresses and what the environment adds.
trace() {
    strace -f -o "$1" "${@:2}" >/dev/null 3>&-
    sed -Ei -e 's/^[0-9]+ +//' -e 's/0x[0-9a-f]+/ADDRESS/g' -e 's| /\* [0-9]+ vars \*/||' \
        -e 's/^(getp?pid\(\)|set_tid_address\(ADDRESS\)) *= [0-9]+/\1/' -e 's/(getrandom\()"[^"]*"/\1/' \
        -e '/^(\+\+\+|---)/d' "$1"
}

# The dynamic loader's work for the one object more: found, mapped, nothing else.
is_loading() {
    [[ $1 == "openat(AT_FDCWD, \"$SHIM\", O_RDONLY|O_CLOEXEC) = "* ||
        $1 =~ ^(read|pread64|fstat|newfstatat|mmap|mprotect|munmap|close)\( ]]
}

# What a program does begins when the loader has given its cache back.
without_loading() { # FILE
    awk '/^execve\(.* = 0$/ {loading = 1} !loading; /^munmap/ {loading = 0}' "$1"
}

only_loads() { # COMMAND...
    local line before=0 rest

    command -v strace >/dev/null || skip "strace is not installed"
    trace "$work/bare" "$@"
    trace "$work/shimmed" -E "LD_PRELOAD=$SHIM" "$@"
    diff "$work/bare" "$work/shimmed" >"$work/difference" || :
    rest=$(grep '^[<>]' "$work/difference" | grep -v '^> ' || :)
    expect_equal "calls that the shimmed run lacks" "$rest" ""
    while read -r line; do
        is_loading "${line#> }" || {
            echo "a call of ours: $line"
            return 1
        }
        before=$((before + 1))
    done < <(grep '^>' "$work/difference")
    expect_at_least "calls of the loader" "$before" 5
    expect_at_most "calls of the loader" "$before" 48 # of two programs where one execs the other
    expect_equal "calls after loading" \
        "$(without_loading "$work/shimmed")" "$(without_loading "$work/bare")"
    expect_no_files
}

@test "/bin/true makes no system call of ours beyond loading" {
    only_loads /bin/true
}

@test "sh -c echo makes no system call of ours beyond loading" {
    only_loads sh -c 'echo'
}

@test "a shell that execs another program makes no system call of ours beyond loading" {
    only_loads sh -c 'read line </dev/null || exec cat /dev/null'
}

# Programs that never listen ----------------------------------------------------------------------

@test "signals are as bare" {
    bare_and_shimmed grep -E '^(Sig[PBIC]|Shd)' /proc/self/status
    expect_same "signals of grep"
    bare_and_shimmed python3 -c 'print(open("/proc/self/status").read().split("Threads:")[1][:400])'
    expect_equal "threads and signals of python3" \
        "$(grep -E '^[[:space:]0-9]+$|^(Sig[PBIC]|Shd)' <<<"$shimmed")" \
        "$(grep -E '^[[:space:]0-9]+$|^(Sig[PBIC]|Shd)' <<<"$bare")"
    expect_no_files
}

@test "open descriptors are as bare" {
    # shellcheck disable=SC2016
    bare_and_shimmed sh -c 'cd /proc/self/fd && for fd in *; do echo "$fd"; done'
    expect_same descriptors
    expect_no_files
}

# A client: it has sockets, threads, handlers and waits, and it ends by its signal.
client() {
    cat <<'END_OF_CLIENT'
import os, select, signal, socket, threading
signal.signal(signal.SIGINT, lambda *_: print("SIGINT"))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
one, two = socket.socketpair()
one.send(b"abc")
print(two.recv(3), select.select([two], [], [], 0))
event = threading.Event()
thread = threading.Thread(target=event.wait)
thread.start()
print(len(os.listdir("/proc/self/task")))
event.set()
thread.join()
os.kill(os.getpid(), signal.SIGINT)
print([line for line in open("/proc/self/status") if line[:4] in ("SigP", "SigB", "SigI", "SigC", "ShdP")])
print(sorted(os.listdir("/proc/self/fd")), os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)[1])
os.kill(os.getpid(), signal.SIGTERM)
END_OF_CLIENT
}

@test "a client with threads, handlers and sockets is as bare" {
    local bare_output bare_status

    client >client.py
    start_program bare python3 -u client.py
    await_exit
    bare_output=$(<"$server_out") bare_status=$exit_status
    start_program shimmed python3 -u client.py
    await_exit
    expect_equal "output" "$(<"$server_out")" "$bare_output"
    expect_equal "exit status" "$exit_status" "$bare_status"
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
    expect_no_files
}

@test "FLUX_DISABLE leaves a server as bare" {
    FLUX_DISABLE=on start_server shimmed single
    expect_equal "SigCgt" "$(awk '/^SigCgt/ {print $2}' "/proc/$server_pid/status")" \
        0000000000000000
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_no_files
}

@test "FLUX_DISABLE: no accept looks for a family" {
    command -v strace >/dev/null || skip "strace is not installed"
    FLUX_DISABLE=on strace -E "LD_PRELOAD=$SHIM" -e trace=openat -o "$work/trace" python3 -c '
import socket
listener = socket.socket()
listener.listen()
listener.setblocking(False)
for _ in range(3):
    try:
        listener.accept()
    except BlockingIOError:
        pass
' 3>&-
    expect_at_most "looks into the folder" "$(grep -cF "$FLUX_RUN_DIR" "$work/trace")" 1
}

# Servers -----------------------------------------------------------------------------------------

# A line for each descriptor of the server: its number and what it is, sockets without their inode.
descriptors() {
    local fd what

    for fd in "/proc/$server_pid/fd"/*; do
        what=$(readlink "$fd") || continue # closed in the meantime
        echo "${fd##*/} $what"
    done | sed -E 's/[0-9]+\]$/]/; s/ .*(\.out|\.err)$/ \1/'
}

has_no_connections() {
    [ "$(descriptors)" = "$bare_fds" ]
}

# Beyond the bare one's: connections.
watch_under_load() {
    local tasks fds i

    for ((i = 0; i < 20; i++)); do
        tasks=("/proc/$server_pid/task"/*)
        most_tasks=$((${#tasks[@]} > most_tasks ? ${#tasks[@]} : most_tasks))
        fds=$(descriptors)
        strangers+=$(comm -23 <(sort <<<"$fds") <(sort <<<"$bare_fds") | grep -v 'socket:' || :)
        sockets=$(grep -c socket: <<<"$fds")
        most_sockets=$((sockets > most_sockets ? sockets : most_sockets))
    done
}

stays_alone() { # SERVER
    local bare_fds most_tasks=0 most_sockets=0 sockets strangers=

    start_server bare "$1"
    bare_fds=$(descriptors)
    stop_and_wait
    FLUX_LOG=warn start_server shimmed "$1"
    expect_equal "descriptors before the load" "$(descriptors)" "$bare_fds"
    start_client churn --connect "$server_address" --seconds 1.5
    watch_under_load
    await_client
    expect_match "client" "$client_last" '^ok [1-9][0-9]* refused 0 lost 0 timeout 0'
    note "$1: $client_last; $most_sockets sockets at once"
    expect_equal "tasks" "$most_tasks" 1
    expect_equal "descriptors that are neither bare's nor connections" "$strangers" ""
    wait_for 2 has_no_connections
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
}

@test "a single-threaded server under load has one task and its own descriptors" {
    stays_alone epoll
    stays_alone single
}

@test "a threaded server has one thread more, and its own descriptors" {
    local tasks bare_fds

    start_server bare threaded
    bare_fds=$(descriptors)
    stop_and_wait
    FLUX_LOG=warn start_server shimmed threaded
    "$TOOLS/inflight" --connect "$server_address" --slow 4 --path / 3>&-
    expect_equal "descriptors" "$(descriptors)" "$bare_fds"
    tasks=("/proc/$server_pid/task"/*)
    expect_equal "tasks" "${#tasks[@]}" 2
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
}

# The coordinator sleeps: 2000 threads that come and go don't wake it.
@test "a new thread wakes nobody, but for the first" {
    local status

    FLUX_LOG=warn start_program shimmed "$BUILD/tests/fixtures/habits" make-many-threads
    wait_until_ready
    status=$(grep -l '^Name:[[:space:]]*fluxshim$' "/proc/$server_pid/task"/*/status)
    expect_at_most "times that the coordinator slept" \
        "$(awk '/^voluntary_ctxt_switches/ {print $2}' "$status")" 20
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
}
