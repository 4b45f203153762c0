# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl check: what stands against a preload is found in the file, and no file can do harm.

load lib/fluxshim
load lib/fixtures
load lib/fluxctl

setup() {
    fluxshim_setup
    unset LD_PRELOAD LD_LIBRARY_PATH
}

teardown() {
    fluxshim_teardown
}

# expect_check PROGRAM STATUS VERDICT FINDINGS: the ids of those that are no notes, in their order.
expect_check() {
    fluxctl check --json "$1"
    expect_equal "$1: findings and verdict ($ctl_err)" \
        "$(jq -r '[.verdict, (.findings[] | select(.level != "note") | .id)] | join(" ")' <<<"$ctl_out")" "$3${4:+ $4}"
    expect_equal "$1: status" "$ctl_status" "$2"
}

# notes: of the last check.
notes() {
    jq -r '[.findings[] | select(.level == "note") | .id] | join(" ")' <<<"$ctl_out"
}

# compile NAME SOURCE FLAG...
compile() {
    printf '%s\n' "$2" >"$1.c"
    cc -o "$1" "$1.c" "${@:3}"
}

# A server as far as its symbols tell: compile_server NAME FLAG...
compile_server() {
    compile "$1" '#include <sys/socket.h>
        int main(void) { listen(0, 1); return accept(0, 0, 0); }' "${@:2}"
}

# patch FILE OFFSET BYTES: BYTES as printf takes them.
patch() {
    # shellcheck disable=SC2059 # the escapes are meant
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# In place of the loader's path, another of the same length at most.
patch_loader() { # FILE PATH
    local old=/lib64/ld-linux-x86-64.so.2 new

    [ "$(uname -m)" = x86_64 ] || skip "knows the loader of x86-64 only"
    new=$(printf '%s' "$2" | head -c "${#old}")
    patch "$1" "$(grep -abo "$old" "$1" | head -n 1 | cut -d: -f1)" \
        "$new$(printf '\\0%.0s' $(seq "${#new}" $((${#old} - 1))))"
}

script() { # NAME LINE...
    printf '%s\n' "${@:2}" >"$1"
    chmod +x "$1"
}

# Servers -----------------------------------------------------------------------------------------

@test "real servers: it works" {
    local program

    for program in nginx redis-server haproxy node apache2 /usr/sbin/sshd /usr/bin/python3; do
        expect_check "$program" 0 works
        expect_equal "$program serves" "$(jq .serves <<<"$ctl_out")" true
    done
    expect_equal "runtime" "$(jq -r .runtime <<<"$ctl_out")" python
}

@test "the whole answer, as JSON and as text" {
    compile_server server
    fluxctl check --json ./server
    expect_equal "JSON" "$(jq -S 'del(.loader)' <<<"$ctl_out")" "$(jq -S . <<<'{"program": "./server", "path": "./server",
        "verdict": "works", "kind": "dynamic", "runtime": null, "serves": true, "signals": [], "scripts": [], "findings": []}')"
    fluxctl check ./server
    expect_equal "text" "$ctl_out" $'./server: works\n  signals: their default action'
    compile_server static -static
    fluxctl check --json ./static
    expect_equal "JSON" "$(jq -S . <<<"$ctl_out")" "$(jq -S . <<<'{"program": "./static", "path": "./static",
        "verdict": "no", "kind": "static", "loader": null, "runtime": null, "serves": false, "signals": [], "scripts": [],
        "findings": [{"id": "static", "level": "stop", "detail": null,
            "text": "It is linked statically: nothing can be preloaded into it.",
            "remedy": "Link it dynamically, or take the dynamic build of it."}]}')"
    fluxctl check ./static
    expect_equal "text" "$ctl_out" './static: does not work
  stop: It is linked statically: nothing can be preloaded into it.
    Link it dynamically, or take the dynamic build of it.'
}

@test "how a server takes its signals is told" {
    local row styles=("handler sigaction(15, 0, 0)" "sigwait sigwaitinfo(0, 0)" "signalfd signalfd(-1, 0, 0)")

    for row in "${styles[@]}"; do
        compile server "#include <signal.h>
            #include <sys/signalfd.h>
            #include <sys/socket.h>
            int main(void) { listen(0, 1); return ${row#* }; }" -w -D_GNU_SOURCE
        expect_check ./server 0 works
        expect_equal "signals" "$(jq -c .signals <<<"$ctl_out")" "[\"${row%% *}\"]"
    done
}

@test "a program that listens by a library of its own is a server; one without isn't" {
    mkdir lib
    compile lib/libnet.so '#include <sys/socket.h>
        int serve(void) { return listen(0, 1); }' -shared -fPIC
    compile by_environment 'int serve(void); int main(void) { return serve(); }' -Llib -lnet
    compile none 'int main(void) { return 0; }'
    expect_check ./none 0 limits no_server
    expect_check ./by_environment 0 limits no_server
    expect_equal "notes" "$(notes)" library_missing
    LD_LIBRARY_PATH=$work/lib expect_check ./by_environment 0 works
    compile by_runpath 'int serve(void); int main(void) { return serve(); }' -Llib -lnet -Wl,-rpath,'$ORIGIN/lib'
    expect_check ./by_runpath 0 works
    compile by_rpath 'int serve(void); int main(void) { return serve(); }' -Llib -lnet -Wl,--disable-new-dtags \
        -Wl,-rpath,'${ORIGIN}/lib'
    expect_check ./by_rpath 0 works
    mkdir links
    ln -s ../by_rpath links/server
    expect_check links/server 0 works
    expect_check sh 0 limits no_server
    compile loads '#include <dlfcn.h>
        int main(void) { return dlopen("x", 1) != 0; }'
    expect_check ./loads 0 works
    expect_equal "notes" "$(notes)" modules
}

# What stands against it ---------------------------------------------------------------------------

@test "static, static PIE, a library, an object" {
    compile_server static -static
    expect_check ./static 1 no static
    compile_server pie -static-pie
    expect_check ./pie 1 no static_pie
    compile library.so 'int x;' -shared -fPIC
    expect_check ./library.so 1 no not_a_program
    compile object.o 'int x;' -c
    chmod +x object.o
    expect_check ./object.o 1 no not_a_program
}

@test "Go, with and without cgo" {
    compile_server go -static
    objcopy --add-section .go.buildinfo=go.c go
    expect_check ./go 1 no go
    compile_server cgo
    objcopy --add-section .note.go.buildid=cgo.c cgo
    expect_check ./cgo 0 limits go_cgo
}

@test "another machine, word size or byte order" {
    compile_server other
    cp other bits && patch bits 4 '\x01'
    expect_check ./bits 1 no other_machine
    cp other order && patch order 5 '\x02' && patch order 16 '\x00\x02\x00\x16'
    expect_check ./order 1 no other_machine
    expect_equal "detail" "$(jq -r '.findings[0].detail' <<<"$ctl_out")" "s390, 64 bits"
    cp other machine && patch machine 18 '\xf3\x00'
    expect_check ./machine 1 no other_machine
    expect_equal "detail" "$(jq -r '.findings[0].detail' <<<"$ctl_out")" "riscv, 64 bits"
}

@test "another libc, and a loader that isn't there" {
    compile_server server
    cp server musl && patch_loader musl /lib/ld-musl-x86_64.so.1
    expect_check ./musl 1 no other_libc
    expect_equal "loader" "$(jq -r .loader <<<"$ctl_out")" /lib/ld-musl-x86_64.so.1
    cp server gone && patch_loader gone /gone/ld-linux.so.2
    expect_check ./gone 1 no loader_missing
}

@test "setuid, setgid and capabilities count for whom they change" {
    [ "$EUID" = 0 ] || skip "needs root to give files to others"
    chmod 755 "$work" "$BATS_FILE_TMPDIR/.." "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test"
    compile_server server
    cp server setuid && chown 65534 setuid && chmod 4755 setuid
    expect_check ./setuid 1 no setuid
    cp server own && chmod 4755 own
    expect_check ./own 0 works
    cp server setgid && chown :65534 setgid && chmod 2755 setgid
    expect_check ./setgid 1 no setuid
    chmod 2745 setgid
    expect_check ./setgid 0 works
    cp server capable && setcap cap_net_bind_service+ep capable || skip "the file system has no capabilities"
    expect_check ./capable 0 works
    setpriv --reuid 65534 --clear-groups --no-new-privs "$BUILD/fluxctl" check ./capable
    ctl_status=0
    setpriv --reuid 65534 --clear-groups "$BUILD/fluxctl" check --json ./capable >out || ctl_status=$?
    expect_equal "status" "$ctl_status" 1
    expect_equal "findings" "$(jq -r '.findings[].id' out)" capabilities
    setcap cap_net_bind_service+i capable
    setpriv --reuid 65534 --clear-groups "$BUILD/fluxctl" check ./capable
}

@test "io_uring, sanitizers, seccomp, HTTP/2" {
    local row

    for row in "io_uring io_uring_queue_init" "seccomp seccomp_load" "http2 nghttp2_session_server_new"; do
        compile lib.so "int ${row#* }(void) { return 0; }" -shared -fPIC
        compile server "#include <sys/socket.h>
            int ${row#* }(void);
            int main(void) { listen(0, 1); return ${row#* }(); }" "$work/lib.so"
        expect_check ./server 0 limits "${row%% *}"
    done
    compile_server asan -fsanitize=address
    expect_check ./asan 0 limits sanitizer
}

@test "what may matter is a note" {
    compile by_number '#include <sys/socket.h>
        #include <unistd.h>
        int main(void) { listen(0, 1); return syscall(1000); }' -D_GNU_SOURCE
    expect_check ./by_number 0 works
    expect_equal "notes" "$(notes)" syscall
    [ "$(uname -m)" = x86_64 ] || return 0
    compile raw '#include <sys/socket.h>
        int main(void) { listen(0, 1); __asm__ volatile("movl $288, %%eax\n\tsyscall" ::: "rax", "rcx", "r11"); }'
    expect_check ./raw 0 works
    expect_equal "notes" "$(notes)" raw_syscalls
}

# Scripts ------------------------------------------------------------------------------------------

@test "a script is what runs it" {
    local line

    compile_server server
    for line in "$work/server" "$work/server  -x y" "/usr/bin/env server" "/usr/bin/env -S A=1 server -x"; do
        script one "#!$line"
        PATH=$work:$PATH expect_check ./one 0 works
        expect_equal "path" "$(jq -r '[.scripts[], .path] | join(" ")' <<<"$ctl_out")" "./one $work/server"
    done
    script none '#!/no/such/interpreter'
    expect_check ./none 1 no loader_missing
    script empty '#!'
    expect_check ./empty 1 no loader_missing
    script clears '#!/usr/bin/env -S -i /usr/bin/python3'
    expect_check ./clears 1 no "preload_cleared"
}

@test "scripts that run each other end" {
    script self "#!$work/self"
    expect_check ./self 1 no scripts_too_deep
    script a "#!$work/b"
    script b "#!$work/a"
    expect_check ./a 1 no scripts_too_deep
}

@test "of a shell script, the program that it becomes is checked" {
    compile_server server
    script wrapper '#!/bin/sh' 'ulimit -c 0' "exec '$work/server' \"\$@\""
    expect_check ./wrapper 0 works
    expect_equal "path" "$(jq -r .path <<<"$ctl_out")" "$work/server"
    expect_equal "notes" "$(notes)" shell_execs
    script wrapper '#!/bin/sh' '"$1" &' wait
    expect_check ./wrapper 0 limits shell_script
    script wrapper 'exec "$@"'
    expect_check ./wrapper 0 limits "no_first_line shell_script"
}

# Files that are none ------------------------------------------------------------------------------

@test "what isn't there, can't be read or can't be executed" {
    fluxctl check ./none
    expect_equal "status" "$ctl_status" 3
    expect_equal "stderr" "$ctl_err" "fluxctl: ./none: No such file or directory"
    fluxctl check no-such-program
    expect_equal "status" "$ctl_status" 3
    script plain '#!/bin/sh'
    chmod -x plain
    expect_check ./plain 1 no not_executable
    expect_check "$work" 1 no not_a_program
    expect_check "$work/never" 1 no not_a_program
    expect_check /dev/zero 1 no not_a_program
    if [ "$EUID" = 0 ]; then
        chmod 755 "$work" "$BATS_FILE_TMPDIR/.." "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test"
        compile_server secret
        chmod 711 secret
        ctl_status=0
        setpriv --reuid 65534 --clear-groups "$BUILD/fluxctl" check ./secret 2>/dev/null || ctl_status=$?
        expect_equal "status" "$ctl_status" 4
    fi
}

@test "a file that is cut off is told, at whatever length" {
    local size length

    compile_server server -Wl,-z,noseparate-code
    size=$(stat -c %s server)
    for ((length = 1; length < size; length += 397)); do
        head -c "$length" server >start
        chmod +x start
        ctl_status=0
        "$BUILD/fluxctl" check --json ./start >out 2>&1 || ctl_status=$?
        expect_at_most "status at $length of $size" "$ctl_status" 1
        jq -e .verdict out >/dev/null
    done
    head -c 100 server >start
    expect_check ./start 1 no damaged
}

# Nothing of a file's name or content reaches the terminal as it is --------------------------------

@test "names with blanks, lines and control characters" {
    local name=$'a b\n\e[31mc\x9b' raw

    compile_server server
    cp server "$name"
    fluxctl check "./$name"
    expect_equal "status" "$ctl_status" 0
    expect_equal "first line" "${ctl_out%%$'\n'*}" './a b\x0a\x1b[31mc\x9b: works'
    script "script $name" "#!$work/"$'x\e]0;title\a'
    fluxctl check "./script $name"
    expect_equal "status" "$ctl_status" 1
    raw=$(LC_ALL=C tr -d '\n\40-\176' <ctl.out)
    expect_equal "raw bytes" "$raw" ""
    fluxctl check --json "./script $name"
    jq -e .findings ctl.out >/dev/null
    raw=$(LC_ALL=C tr -d '\n\t\40-\176\200-\377' <ctl.out)
    expect_equal "raw bytes in JSON" "$raw" ""
    fluxctl check "./$name.none"
    raw=$(LC_ALL=C tr -d '\n\40-\176' <ctl.err)
    expect_equal "raw bytes in errors" "$raw" ""
}
