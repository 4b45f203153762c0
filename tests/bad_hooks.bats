# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A hook that can't be loaded: one clear line in the log at the start, the server serves, and the
# others run.

load lib/fluxshim
load lib/bad_input

setup() {
    fluxshim_setup
    HOOKS=$BUILD/tests/hooks
}

teardown() {
    fluxshim_teardown
}

runs_without_hook() { # PATH REASON
    FLUX_HOOKS=$1 FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    says "error: hook $1 will not run: $2"
    expect_equal "row in the checkpoint" \
        "$(checkpoint_value "$work/state" '.hooks[] | [.path, .status] | join(" ")')" "$1 not run"
}

@test "a hook that is missing, has no symbol, is no ELF file or is writable by others" {
    runs_without_hook "$work/none.so" 'No such file or directory'
    runs_without_hook "$HOOKS/without_symbol.so" \
        'it has neither flux_hook nor a function flux_cleanup'
    echo 'no ELF file' >"$work/text.so"
    runs_without_hook "$work/text.so" '(file too short|invalid ELF header)'
    head -c 3000 "$HOOKS/note.so" >"$work/half.so"
    runs_without_hook "$work/half.so" 'it is cut off: its segments go past the end of the file'
    head -c 50 "$HOOKS/note.so" >"$work/half.so"
    runs_without_hook "$work/half.so" 'file too short'
    runs_without_hook "$work" 'not a regular file'
    install -m 777 "$HOOKS/note.so" "$work/open.so"
    runs_without_hook "$work/open.so" "writable by everyone [^:]+: $work/open.so"
}

@test "a hook for another machine, or with symbols that nobody has" {
    # e_machine, behind e_ident and e_type: 0xffff is none.
    cp "$HOOKS/note.so" "$work/other.so"
    printf '\xff\xff' | dd of="$work/other.so" bs=1 seek=18 conv=notrunc status=none
    runs_without_hook "$work/other.so" '(wrong ELF|cannot open shared|.*machine).*'
    cp "$HOOKS/note.so" "$work/class.so"
    printf '\x01' | dd of="$work/class.so" bs=1 seek=4 conv=notrunc status=none
    runs_without_hook "$work/class.so" 'wrong ELF class: ELFCLASS32'
    runs_without_hook "$HOOKS/undefined.so" 'undefined symbol: flux_test_nowhere'
}

@test "a hook in a folder writable by others, or of another user" {
    install -d -m 777 "$work/open"
    install -m 755 "$HOOKS/note.so" "$work/open/note.so"
    runs_without_hook "$work/open/note.so" "writable by everyone [^:]+: $work/open"
    install -d -m 775 "$work/group"
    install -m 755 "$HOOKS/note.so" "$work/group/note.so"
    runs_without_hook "$work/group/note.so" "writable by its group [^:]+: $work/group"
    install -d -m 755 "$work/open/shut/shut"
    install -m 755 "$HOOKS/note.so" "$work/open/shut/shut/note.so"
    runs_without_hook "$work/open/shut/shut/note.so" "writable by everyone [^:]+: $work/open"
    [ "$(id -u)" = 0 ] || skip "only root can give a file away"
    install -m 755 -o 1234 "$HOOKS/note.so" "$work/foreign.so"
    runs_without_hook "$work/foreign.so" \
        "it belongs to uid 1234, neither to root nor to this process: $work/foreign.so"
}

@test "a hook of another version of the ABI, or whose constant says what can't be" {
    runs_without_hook "$HOOKS/shape-1.so" \
        "it is built for version 2 of the hooks' ABI, and this is version 1"
    runs_without_hook "$HOOKS/shape-2.so" 'the size of its flux_hook is 8, and must be at least 24'
    runs_without_hook "$HOOKS/shape-5.so" 'its flux_hook has no name'
    runs_without_hook "$HOOKS/shape-6.so" \
        'the priority of its flux_hook is 1000001, allowed is 0 to 1000000'
    runs_without_hook "$HOOKS/shape-7.so" \
        'the scope of its flux_hook is 2, allowed is 0 \(family\) or 1 \(process\)'
}

@test "a hook of an older or a newer header runs" {
    for shape in shapes shape-3 shape-4; do
        FLUX_HOOKS=$HOOKS/$shape.so FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
        expect_equal "row of $shape" \
            "$(checkpoint_value "$work/state" '.hooks[] | "\(.name) \(.status) \(.state)"')" \
            "shapes ok null"
        expect_equal "log" "$(log_lines)" ""
    done
}

@test "a priority that is none, a built-in that there is none of" {
    FLUX_HOOKS=$HOOKS/fails.so=1000001 serves_and_stops "$SERVERS/threaded"
    says "error: hook $HOOKS/fails.so will not run: its priority is too large, allowed is 0 to 1000000"
    FLUX_HOOKS=$HOOKS/fails.so=-1 serves_and_stops "$SERVERS/threaded"
    says "error: hook $HOOKS/fails.so will not run: its priority is too small, allowed is 0 to 1000000"
    FLUX_HOOKS=nosuchhook serves_and_stops "$SERVERS/threaded"
    says "error: hook $BUILD/fluxshim/hooks/nosuchhook.so will not run: No such file or directory"
}

@test "200 hooks, and the same one twice: each runs; more than 256: the rest is told" {
    local list

    list=$(printf "$HOOKS/note.so:%.0s" {1..200})
    export HOOK_NOTES=$work/notes
    FLUX_HOOKS=$list serves_and_stops "$SERVERS/threaded" # cut off by the length of a setting
    expect_match "log" "$(log_lines)" '^warning: FLUX_HOOKS='
    ln -s "$HOOKS/note.so" n
    list=$(printf './n:%.0s' {1..200})
    FLUX_HOOKS=$list FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    expect_equal "ran" "$(wc -l <"$HOOK_NOTES")" 200
    expect_equal "rows" "$(checkpoint_value "$work/state" '[.hooks[] | select(.status == "ok")] | length')" 200
    expect_equal "log" "$(log_lines)" ""
    list=$(printf './n:%.0s' {1..300})
    FLUX_HOOKS=$list FLUX_CHECKPOINT=$work/state serves_and_stops "$SERVERS/threaded"
    says 'error: FLUX_HOOKS names more than 256 hooks; the rest will not run'
    expect_equal "rows" "$(checkpoint_value "$work/state" '.hooks | length')" 256
}

# ld.so preloads nothing into a setuid program, so this one is linked with the shim. What its caller
# says is not read: it serves, and its signal ends it at once.
@test "a setuid program: no variable is read, nothing is loaded" {
    local folder

    [ "$(id -u)" = 0 ] || skip "only root can make one that belongs to somebody else"
    folder=$(mktemp -d /tmp/secure.XXXXXX)
    chmod 755 "$folder"
    install -D -t "$folder/fluxshim" "$BUILD/fluxshim/engine.so"
    install -t "$folder" "$SHIM" "$HOOKS/note.so"
    "${CC:-cc}" -o "$folder/server" -x c - -x none "$folder/libfluxshim.so" -Wl,-rpath,"$folder" <<'END'
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    listen(fd, 5);
    puts("ready");
    fflush(stdout);
    for (;;)
        accept(fd, NULL, NULL);
}
END
    chmod 4755 "$folder/server"
    export FLUX_HOOKS=$folder/note.so FLUX_CHECKPOINT=/tmp/secure.state FLUX_LOG=debug
    start_program bare setpriv --reuid=65534 --regid=65534 --clear-groups "$folder/server"
    wait_until_ready
    expect_equal "of the engine and the hook" "$(grep -cE 'engine.so|note.so' "/proc/$server_pid/maps" || :)" 0
    grep -q libfluxshim.so "/proc/$server_pid/maps"
    stop_and_wait
    rm -r "$folder"
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
    [ ! -e /tmp/secure.state ]
}

# The array in the settings file ------------------------------------------------------------------

# array_says ELEMENT MESSAGE: that element, the second of three, will not run; the others do.
array_says() {
    local good="\"$HOOKS/note.so\""

    rm -f "$work/notes"
    echo "{\"checkpoint\": \"$work/state\", \"hooks\": [$good, $1, $good]}" >"$work/config"
    HOOK_NOTES=$work/notes FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "$2"
    expect_equal "the others" "$(<"$work/notes")" note.so$'\n'note.so
}

# wrong_element ELEMENT REASON [OBJECT]
wrong_element() {
    array_says "$1" \
        "error: hook ${3:-hooks\[2\]} will not run: config $work/config: hooks\[2\]$2"
    expect_equal "row" "$(checkpoint_value "$work/state" '.hooks[] | select(.status == "not run") |
        .error' | sed 's/.*hooks.2.//')" "${2//\\/}"
}

@test "an entry of the array that is wrong: file, entry, key and what is allowed; the others run" {
    local path="\"path\": \"$HOOKS/fails.so\"" is=$HOOKS/fails.so

    wrong_element 7 ' must be an object, or text'
    wrong_element '""' ' must be an object, or text'
    wrong_element null ' must be an object, or text'
    wrong_element '{}' ' must have a name or a path'
    wrong_element '{"config": 1}' ' must have a name or a path'
    wrong_element '{"path": 1}' '.path must be text'
    wrong_element '{"path": ""}' '.path must be text'
    wrong_element '{"name": "a/b.so"}' ".name must name a built-in hook: a path goes into 'path'"
    wrong_element '{"name": "b.so"}' ".name must name a built-in hook: a path goes into 'path'"
    wrong_element "{$path, \"name\": \"file\"}" ' has both a name and a path, or one of them twice' "$is"
    wrong_element "{$path, \"priority\": -1}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"priority\": 1.5}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"priority\": 1e99}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"priority\": \"first\"}" '.priority must be a number from 0 to 1000000' "$is"
    wrong_element "{$path, \"scope\": \"all\"}" '.scope must be "family" or "process"' "$is"
    wrong_element "{$path, \"scope\": 1}" '.scope must be "family" or "process"' "$is"
    wrong_element "{$path, \"timeout\": \"soon\"}" \
        '.timeout must be a duration such as 30, "1.5s", "250ms", "2m" or "1h"' "$is"
    wrong_element "{$path, \"timeout\": -1}" \
        '.timeout must be a duration such as 30, "1.5s", "250ms", "2m" or "1h"' "$is"
}

@test "a key that means nothing: told, and the hook runs" {
    array_says "{\"path\": \"$HOOKS/acts.so\", \"prio\": 1}" \
        "warning: config $work/config: hooks\[2\] can't have a key 'prio' \(allowed: name, path, priority, scope, timeout, config\)"
    expect_equal "row" "$(checkpoint_value "$work/state" '.hooks[1].status')" ok
}

@test "hooks of the wrong type, malformed, or too many" {
    echo '{"hooks": {"path": "a"}}' >"$work/config"
    FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "warning: config $work/config: hooks must be text, an array of hooks, a number, true or false: .*"
    echo '{"hooks": ["a", ]}' >"$work/config"
    FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "error: config $work/config: not valid JSON at line 1, column [0-9]+; none of it is used"
    jq -n "{hooks: [range(300) | {path: \"$HOOKS/note.so\"}], checkpoint: \"$work/state\"}" >"$work/config"
    HOOK_NOTES=$work/notes FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "error: config $work/config: hooks has more than 256 entries; the rest will not run"
    expect_equal "ran" "$(wc -l <"$work/notes")" 256
}

@test "FLUX_HOOKS goes before the array; a timeout of its own" {
    echo "{\"checkpoint\": \"$work/state\", \"hooks\": [{\"path\": \"$HOOKS/hangs.so\", \"timeout\": 0.2}]}" \
        >"$work/config"
    FLUX_CONFIG=$work/config serves_and_stops "$SERVERS/threaded"
    says "warning: hook $HOOKS/hangs.so: timeout: .*"
    HOOK_NOTES=$work/notes FLUX_HOOKS=$HOOKS/note.so FLUX_CONFIG=$work/config \
        serves_and_stops "$SERVERS/threaded"
    expect_equal "rows" "$(checkpoint_value "$work/state" '.hooks[].name')" note
}
