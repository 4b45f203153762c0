# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# What all built-in hooks share, and the examples: faults are told by name, memory is used rightly.

load lib/fluxshim
load lib/builtin_hooks

setup() {
    fluxshim_setup
    find_python
}

teardown() {
    end_postgres
    fluxshim_teardown
}

# Configuration -----------------------------------------------------------------------------------

# Hook, its configuration, what the log says of it.
faults=(
    'file' 'null' 'config must be an object'
    'file' '{}' 'config.actions must be a list of 1 to 1000 objects'
    'file' '{"actions": []}' 'config.actions must be a list of 1 to 1000 objects'
    'file' '{"actions": {"do": "unlink"}}' 'config.actions must be a list'
    'file' '{"actions": [7]}' 'config.actions[0] must be an object'
    'file' '{"action": []}' "config.action isn't known (there are: actions)"
    'file' '{"actions": [{"do": "touch", "path": "/x"}, {"do": "unlink", "path": 7}]}'
    'config.actions[1].path must be text'
    'file' '{"actions": [{"do": "unlink", "path": "x/y"}]}'
    "config.actions[0].path must be an absolute path, not 'x/y'"
    'file' '{"actions": [{"path": "/x"}]}' 'config.actions[0].do is missing'
    'file' '{"actions": [{"do": "erase", "path": "/x"}]}'
    'config.actions[0].do must be one of: fsync, truncate, unlink, rename, touch, write'
    'file' '{"actions": [{"do": "rename", "path": "/x"}]}' 'config.actions[0].to is missing'
    'file' '{"actions": [{"do": "write", "path": "/x"}]}' 'config.actions[0].text is missing'
    'file' '{"actions": [{"do": "touch", "path": "/x", "mode": "rw"}]}' 'config.actions[0].mode must be octal'
    'file' '{"actions": [{"do": "touch", "path": "/x", "mode": 644}]}' 'config.actions[0].mode must be text'
    'file' '{"actions": [{"do": "touch", "path": "/x", "when": "soon"}]}' 'config.actions[0].when must be one of: running,'
    'file' '{"actions": [{"do": "touch", "path": "/x", "text": "y"}]}' "config.actions[0].text isn't known"
    'file' '{"actions": [{"do": "touch", "path": "/x", "must_exist": 1}]}' 'config.actions[0].must_exist must be true or false'
    'exec' '{}' 'config.argv must be a list of texts, or shell a text'
    'exec' '{"argv": "/bin/true"}' 'config.argv must be a list'
    'exec' '{"argv": ["true"]}' "config.argv[0] must be an absolute path, not 'true'"
    'exec' '{"argv": ["/bin/true", 1]}' 'config.argv must hold texts, and item 1 is none'
    'exec' '{"argv": ["/bin/true"], "shell": "true"}' 'config.shell and argv: only one of them'
    'exec' '{"shell": ""}' 'config.shell must not be empty'
    'exec' '{"shell": "true", "env": ["A"]}' 'config.env must be an object'
    'exec' '{"shell": "true", "env": {"A": 1}}' "config.env must hold names and texts: 'A' doesn't"
    'exec' '{"shell": "true", "timeout": "soon"}' 'config.timeout must be a duration such as 250ms'
    'exec' '{"shell": "true", "timeout": 0}' 'config.timeout must be a duration such as 250ms'
    'exec' '{"shell": "true", "output": "mail"}' 'config.output must be one of: log, null'
    'exec' '{"shell": "true", "cwd": "."}' 'config.cwd must be an absolute path'
    'notify' '{"ready": "yes"}' 'config.ready must be true or false'
    'notify' '[]' 'config must be an object'
    'sqlite' '{}' 'config.path is missing'
    'sqlite' '{"path": "/x", "checkpoint": "later"}' 'config.checkpoint must be one of: passive, full, restart, truncate'
    'sqlite' '{"path": "/x", "statements": "VACUUM"}' 'config.statements must be a list'
    'sqlite' '{"path": "/x", "busy_timeout": "1x"}' 'config.busy_timeout must be a duration'
    'postgres' '{"shutdown": ["SELECT 1"]}' 'config.connection is missing'
    'postgres' '{"connection": "hots=x", "shutdown": ["SELECT 1"]}' "config.connection isn't one that libpq takes"
    'postgres' '{"connection": "host=x"}' 'config.shutdown is missing, and so is restore'
    'postgres' '{"connection": "host=x", "shutdown": [1]}' 'config.shutdown must hold texts, and item 0 is none'
    'redis' '{}' 'config.commands is missing, and so is restore'
    'redis' '{"port": 0, "commands": [["PING"]]}' 'config.port must be a whole number from 1 to 65535'
    'redis' '{"port": 1.5, "commands": [["PING"]]}' 'config.port must be a whole number from 1 to 65535'
    'redis' '{"commands": ["PING"]}' 'config.commands[0] must be a list of texts'
    'redis' '{"commands": [["PING"], []]}' 'config.commands[1] must be a list of texts'
    'redis' '{"commands": [["SET", "a", 1]]}' 'config.commands[0] must hold texts, and item 2 is none'
    'redis' '{"socket": "redis.sock", "commands": [["PING"]]}' 'config.socket must be an absolute path'
)

@test "a faulty configuration is told at the start by hook and key; the server serves, other hooks run" {
    local entries=() i wanted=

    entries+=("{\"name\": \"exec\", \"priority\": 1, \"config\": {\"shell\": \"echo first >>$work/ran\"}}")
    for ((i = 0; i < ${#faults[@]}; i += 3)); do
        [ -e "$HOOKS/${faults[i]}.so" ] || continue
        entries+=("{\"name\": \"${faults[i]}\", \"config\": ${faults[i + 1]}}")
        wanted+="not run "
    done
    entries+=("{\"name\": \"exec\", \"priority\": 999, \"config\": {\"shell\": \"echo last >>$work/ran\"}}")
    configure_hooks "${entries[@]}"
    start_server shimmed threaded
    for ((i = 0; i < ${#faults[@]}; i += 3)); do
        [ -e "$HOOKS/${faults[i]}.so" ] || continue
        grep -qF -- "error: hook ${faults[i]}: ${faults[i + 2]}" "$server_err" ||
            expect_equal "log of ${faults[i]} ${faults[i + 1]}" "$(<"$server_err")" "${faults[i + 2]}"
    done
    start_inflight --slow 1 --path '/slow?ms=100'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "ran" "$(paste -sd ' ' "$work/ran")" "first last"
    expect_equal "rows" "$(checkpoint_value "$work/state.json" '[.hooks[].status] | join(" ")')" \
        "ok ${wanted}ok"
}

@test "the example configurations are taken" {
    local file name

    for file in "$BATS_TEST_DIRNAME"/../helpers/hooks/*/example.json; do
        name=$(basename "$(dirname "$file")")
        [ -e "$HOOKS/$name.so" ] || continue
        expect_equal "hook of $file" "$(jq -r '.hooks[0].name' "$file")" "$name"
        call_hook "$name" "$(jq -c '.hooks[0].config' "$file")"
        expect_match "$file" "$hook_output" 'init 0'
    done
}

@test "each needs its own library and no other" {
    local hook libraries
    local -A own=([file]="" [exec]="" [notify]="" [sqlite]=libsqlite3 [postgres]=libpq [redis]=libhiredis)

    for hook in "${!own[@]}"; do
        [ -e "$HOOKS/$hook.so" ] || continue
        libraries=$(readelf -d "$HOOKS/$hook.so" | sed -n 's/.*NEEDED.*\[\(.*\)\.so.*/\1/p' |
            grep -vx 'libc\|libcjson\|ld-linux.*' || :)
        expect_equal "libraries of $hook" "$libraries" "${own[$hook]}"
        expect_equal "what $hook exports" \
            "$(nm -D --defined-only "$HOOKS/$hook.so" | awk '{print $3}')" flux_hook
    done
}

# Memory ------------------------------------------------------------------------------------------

# Each hook once through all it does, right and wrong; with the wrapper, folder and tools set.
run_each_hook() {
    local hook i

    NOTIFY_SOCKET=$work/none call_and_check notify '{"ready": true}' running lame_duck drain=2 cleanup
    call_and_check exec '{"shell": "echo one; echo two >&2; exit 3", "env": {"A": "b"}}' cleanup
    call_and_check exec '{"shell": "yes", "timeout": "100ms", "when": "refuse"}' drain cleanup
    call_and_check exec '{"argv": ["/nowhere/x"]}' cleanup
    call_and_check file "{\"actions\": [{\"do\": \"write\", \"path\": \"$work/a\", \"text\": \"x\", \"when\": \"running\"},
        {\"do\": \"fsync\", \"path\": \"$work/a\"}, {\"do\": \"truncate\", \"path\": \"$work/a\"},
        {\"do\": \"rename\", \"path\": \"$work/a\", \"to\": \"$work/b\"}, {\"do\": \"touch\", \"path\": \"$work/c\"},
        {\"do\": \"unlink\", \"path\": \"$work/none\"}, {\"do\": \"fsync\", \"path\": \"$work/none\"}]}" \
        running refuse drain cleanup
    sqlite3 "$work/db" 'PRAGMA journal_mode = wal; CREATE TABLE IF NOT EXISTS t (x)' >/dev/null
    call_and_check sqlite "{\"path\": \"$work/db\", \"optimize\": true,
        \"statements\": [\"INSERT INTO t VALUES (1)\", \"wrong\"]}" cleanup
    call_and_check redis "{\"port\": $redis_port, \"restore\": [[\"SET\", \"a\", \"b\"]],
        \"commands\": [[\"HGET\", \"a\", \"b\"], [\"KEYS\", \"*\"]]}" running cleanup
    call_and_check redis '{"port": 1, "commands": [["PING"]]}' cleanup
    call_and_check postgres "{\"connection\": \"$connection\", \"restore\": [\"SELECT 1\"],
        \"shutdown\": [\"SELECT 2\", \"wrong\"]}" running cleanup
    call_and_check postgres "{\"connection\": \"host=127.0.0.1 port=1\", \"shutdown\": [\"SELECT 2\"]}" cleanup
    for ((i = 0; i < ${#faults[@]}; i += ${fault_step:-3})); do
        call_and_check "${faults[i]}" "${faults[i + 1]}"
    done
}

call_and_check() { # HOOK CONFIG STEP...
    [ -e "$HOOKS/$1.so" ] || return 0
    call_hook "$@"
    [[ $hook_status == [01] && $hook_output == *"init "* && $hook_output != *Sanitizer* &&
        $hook_output != *"runtime error"* ]] ||
        expect_equal "status of $* ($hook_output)" "$hook_status" "0 or 1, and no report"
}

@test "valgrind has nothing to say" {
    command -v valgrind >/dev/null || skip "valgrind is not installed"
    hook_wrapper=(valgrind -q --error-exitcode=99 --leak-check=full
        --show-leak-kinds=definite,possible --errors-for-leak-kinds=definite,possible)
    fault_step=12 # a part of them: each takes a second
    start_postgres
    start_redis
    run_each_hook
}

@test "AddressSanitizer and UBSan have nothing to say" {
    make -s -C "$BATS_TEST_DIRNAME/.." BUILD="$BUILD" sanitize-hooks >"$work/log" 2>&1 3>&- ||
        expect_equal "make" "$(<"$work/log")" "no error"
    hook_folder=$BUILD/sanitize/fluxshim/hooks
    hook_tools=$BUILD/sanitize/tests/tools
    start_postgres
    start_redis
    run_each_hook
}

# Examples ----------------------------------------------------------------------------------------

@test "the example in C, C++ and Rust counts on across restarts" {
    local object generation

    for object in "$BUILD/counter.so" "$BUILD/tests/hooks/counter_cpp.so" \
        "$BUILD/tests/hooks/counter_rs.so"; do
        rm -f "$work/state.json"
        configure_hooks "{\"path\": \"$object\"}"
        for generation in 1 2 3; do
            FLUX_LOG=info start_server shimmed single
            stop_and_wait
            expect_equal "exit status" "$exit_status" 143
            expect_equal "state after start $generation of $object" \
                "$(checkpoint_value "$work/state.json" '.hooks[0] | [.status, .state.starts] | join(" ")')" \
                "ok $generation"
            expect_match "its line in the log" "$(<"$server_err")" \
                "info: hook counter[_a-z]*: (start ${generation} ends|at the end [{].starts.:${generation}[}])"
        done
    done
}

# The others ask the loader for nothing after their init.
@test "one that hangs in dlopen doesn't keep the others from their work" {
    configure_hooks "{\"path\": \"$BUILD/tests/hooks/acts.so\", \"config\": \"cleanup hang-in-dlopen\",
        \"priority\": 1, \"timeout\": \"300ms\"}" \
        "{\"name\": \"file\", \"config\": {\"actions\": [{\"do\": \"fsync\", \"path\": \"/nowhere/x\"}]}}" \
        "{\"name\": \"exec\", \"config\": {\"shell\": \"echo >$work/ran\"}}"
    start_server shimmed threaded
    stop_and_wait
    expect_equal "exit status" "$exit_status" 143
    expect_equal "rows" "$(checkpoint_value "$work/state.json" \
        '.hooks[] | [.name, .status] | join(" ")')" "acts timeout
file failed
exec ok"
    [ -e "$work/ran" ]
}
