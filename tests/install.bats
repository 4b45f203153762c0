# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim
# What is installed works where it is, by make and by the packages, and goes without a trace.

load lib/fluxshim
load lib/builtin_hooks
load lib/fresh_root

setup_file() {
    # The packages are built once, and not where a person has their own.
    export deb_build=$BATS_FILE_TMPDIR/build
}

setup() {
    fluxshim_setup
    tree=$BATS_TEST_DIRNAME/..
    prefix=$work/prefix
    optional=()
    for name in sqlite postgres redis; do
        [ ! -e "$HOOKS/$name.so" ] || optional+=("$name")
    done
}

teardown() {
    fluxshim_teardown
}

make_in_tree() {
    env -u MAKEFLAGS -u MAKELEVEL make -s -C "$tree" "$@" 3>&-
}

# files_below FOLDER: sorted, relative.
files_below() {
    (cd "$1" && find . -type f | sort | sed 's|^\./||')
}

# expected_files LIB INCLUDE MAN DOC BIN SHARE: what install makes.
expected_files() {
    local name

    printf '%s\n' "$1/libfluxshim.so" "$1/fluxshim/engine.so" "$1/pkgconfig/fluxshim.pc" \
        "$1/fluxshim/fluxshim-checkpoint.schema.json" \
        "$2/fluxshim.h" "$3/man3/fluxshim.h.3" "$3/man7/fluxshim.7" \
        "$4"/examples/{counter.c,counter.cc,counter.rs,my_hook.c} "$5/fluxctl" \
        "$6/bash-completion/completions/fluxctl" "$6/zsh/site-functions/_fluxctl" \
        "$6/fish/vendor_completions.d/fluxctl.fish"
    echo "$3/man1/fluxctl.1"
    for name in exec file notify "${optional[@]}"; do
        printf '%s\n' "$1/fluxshim/hooks/$name.so" "$3/man7/fluxshim-$name.7" "$4/examples/$name.json"
    done
}

# expect_no_files_but FOLDER LIST: these, each with bytes in it.
expect_no_files_but() {
    expect_equal "files" "$(files_below "$1")" "$(sort <<<"$2")"
    expect_equal "empty" "$(find "$1" -type f -empty)" ""
}

# has_loaded OBJECT: the server has it, and no other copy.
has_loaded() {
    expect_equal "$(basename "$1") of the server" \
        "$(sed -n "s|.* \(/.*/$(basename "$1")\)\$|\1|p" "/proc/$server_pid/maps" | sort -u)" "$1"
}

# drains: the server, with a request in flight, ends by SIGTERM and has nothing to say.
drains() {
    start_inflight --slow 2 --path '/slow?ms=300'
    stop_and_wait
    await_client
    expect_equal "client: $client_last; status" "$client_status" 0
    expect_equal "exit status" "$exit_status" 143
    expect_equal "stderr" "$(<"$server_err")" ""
}

# Of make ------------------------------------------------------------------------------------------

@test "install fills the usual folders, and uninstall empties them" {
    make_in_tree install DESTDIR="$work/root"
    expect_no_files_but "$work/root/usr/local" "$(expected_files lib include share/man share/doc/fluxshim bin share)"
    make_in_tree uninstall DESTDIR="$work/root"
    expect_equal "left" "$(files_below "$work/root")" ""
    expect_equal "folders of its own" "$(find "$work/root" -path '*fluxshim*')" ""
}

@test "PREFIX, bindir, libdir, includedir and mandir are where it goes, with a DESTDIR before them" {
    local where=(DESTDIR="$work/root" PREFIX=/opt/flux bindir=/opt/sbin libdir=/opt/flux/lib/arch includedir=/opt/inc mandir=/opt/man)

    make_in_tree install "${where[@]}"
    expect_no_files_but "$work/root/opt" \
        "$(expected_files flux/lib/arch inc man flux/share/doc/fluxshim sbin flux/share)"
    expect_equal "DESTDIR in fluxshim.pc" "$(grep -c "$work" "$work/root/opt/flux/lib/arch/pkgconfig/fluxshim.pc")" 0
    make_in_tree uninstall "${where[@]}"
    expect_equal "left" "$(files_below "$work/root")" ""
}

@test "uninstall leaves what others have put beside it" {
    make_in_tree install PREFIX="$prefix" >/dev/null
    touch "$prefix/lib/fluxshim/hooks/own.so" "$prefix/lib/libother.so"
    make_in_tree uninstall PREFIX="$prefix"
    expect_equal "left" "$(files_below "$prefix")" $'lib/fluxshim/hooks/own.so\nlib/libother.so'
}

@test "to install again replaces the files, and a server that runs keeps its own" {
    make_in_tree install PREFIX="$prefix" >/dev/null
    SHIM=$prefix/lib/libfluxshim.so start_server shimmed epoll
    make_in_tree install PREFIX="$prefix" >/dev/null
    expect_equal "left over" "$(find "$prefix" -name '*.new')" ""
    drains
}

@test "the installed copy drains a server, and finds its engine and a hook by its name" {
    make_in_tree install PREFIX="$prefix" >/dev/null
    touch ready
    configure_hooks "{\"name\": \"file\", \"config\": {\"actions\": [{\"do\": \"unlink\", \"path\": \"$work/ready\"}]}}"
    SHIM=$prefix/lib/libfluxshim.so start_server shimmed epoll
    has_loaded "$prefix/lib/libfluxshim.so"
    has_loaded "$prefix/lib/fluxshim/engine.so"
    has_loaded "$prefix/lib/fluxshim/hooks/file.so"
    drains
    is_gone "$work/ready"
    expect_equal "hooks" "$(hook_rows)" "file ok 0"
}

@test "the installed fluxctl starts a server with the library beside it, wherever that was moved" {
    make_in_tree install PREFIX="$prefix" >/dev/null
    mv "$prefix" "$work/moved"
    start_program bare "$work/moved/bin/fluxctl" run "$SERVERS/epoll"
    wait_until_ready
    has_loaded "$work/moved/lib/libfluxshim.so"
    drains
}

@test "pkg-config has what a hook is compiled with, and where the library is" {
    local -x PKG_CONFIG_PATH=$prefix/lib/pkgconfig MY_HOOK_FILE=$work/stops
    local flags

    make_in_tree install PREFIX="$prefix" >/dev/null
    expect_equal "version" "$(pkg-config --modversion fluxshim)" "$(make_in_tree version)"
    expect_equal "hooksdir" "$(pkg-config --variable=hooksdir fluxshim)" "$prefix/lib/fluxshim/hooks"
    expect_equal "libs" "$(pkg-config --libs fluxshim)" ""
    read -ra flags < <(pkg-config --cflags fluxshim)
    cc -std=c99 -shared -fPIC -Wall "${flags[@]}" -o my_hook.so "$prefix/share/doc/fluxshim/examples/my_hook.c"
    SHIM=$(pkg-config --variable=preload fluxshim) FLUX_HOOKS=$work/my_hook.so start_server shimmed single
    drains
    [ -s stops ]
}

@test "below /usr/local it is found without a path after ldconfig" {
    local root=$work/root

    [ "$EUID" = 0 ] || skip "chroot needs root"
    make_root "$root" coreutils libc-bin libcjson1
    make_in_tree install DESTDIR="$root"
    in_root "$root" ldconfig
    install -D "$SERVERS/epoll" "$root/srv/epoll"
    start_program bare chroot "$root" /usr/bin/env LD_PRELOAD=libfluxshim.so /srv/epoll
    wait_until_ready
    drains
}

@test "names that are interposed have no version, and take the place of libc's newest" {
    local bound name

    bound=$(LD_DEBUG=bindings LD_BIND_NOW=1 LD_PRELOAD=$SHIM "$SERVERS/threaded" --help 2>&1 || :)
    for name in pthread_create accept4 close; do
        expect_match "binding of $name" "$bound" \
            "binding file $SERVERS/threaded [^ ]* to $SHIM [^ ]*: normal symbol .$name' \[GLIBC_"
    done
    expect_equal "names with a version" \
        "$(readelf --dyn-syms -W "$SHIM" | grep '@@' | sed 's/.* //' | sort | tr '\n' ' ')" \
        "flux_log@@FLUXSHIM_0 flux_phase@@FLUXSHIM_0 flux_subscribe@@FLUXSHIM_0 flux_trigger@@FLUXSHIM_0 flux_unsubscribe@@FLUXSHIM_0 "
}

# Of the packages ----------------------------------------------------------------------------------

# Once for all tests. Leaves debs, all but those with debug symbols.
build_packages() {
    [ "${#optional[@]}" = 3 ] || skip "built without the libraries of all hooks"
    if [ ! -e "$deb_build/done" ]; then
        make_in_tree deb BUILD="$deb_build"
        touch "$deb_build/done"
    fi
    mapfile -t debs < <(find "$deb_build/deb" -name '*.deb' ! -name '*dbgsym*' | sort)
}

@test "the packages hold what install makes, and lintian has nothing to say against them" {
    build_packages
    expect_equal "packages" "$(printf '%s\n' "${debs[@]##*/}" | sed 's/_.*//' | tr '\n' ' ')" \
        "fluxshim-dev fluxshim-postgres fluxshim-redis fluxshim-sqlite fluxshim "
    expect_equal "lintian" "$(lintian --allow-root --fail-on error "$deb_build"/deb/*.changes 2>&1 3>&-)" ""
    expect_equal "version" "$(dpkg-deb -f "${debs[0]}" Version)" "$(make_in_tree version)"
    expect_match "what the hook for SQLite needs" "$(dpkg-deb -f "$deb_build"/deb/fluxshim-sqlite_*.deb Depends)" \
        'fluxshim \(= .*libsqlite3-0'
}

@test "in a fresh root the packages are installed, used without a path, and removed" {
    local root=$work/root before names

    [ "$EUID" = 0 ] || skip "chroot needs root"
    build_packages
    make_root "$root" coreutils libc-bin libcjson1 libsqlite3-0 libpq5 libhiredis0.14 dpkg dash
    install -D "$SERVERS/single" "$root/srv/single"
    before=$(files_of "$root")
    expect_match "before" "$(in_root "$root" LD_PRELOAD=libfluxshim.so /bin/true 2>&1)" 'cannot be preloaded'

    dpkg --root="$root" --install "${debs[@]}" 3>&-
    expect_equal "after" "$(in_root "$root" LD_PRELOAD=libfluxshim.so /bin/true 2>&1)" ""
    sqlite3 "$root/srv/data.db" 'PRAGMA journal_mode=WAL; CREATE TABLE t (x)' >/dev/null
    cat >"$root/srv/config.json" <<-'END'
	{"checkpoint": "/srv/state.json", "hooks": ["notify", "postgres", "redis",
	 {"name": "exec", "config": {"argv": ["/bin/touch", "/srv/ran"]}},
	 {"name": "file", "config": {"actions": [{"do": "unlink", "path": "/srv/ready"}]}},
	 {"name": "sqlite", "config": {"path": "/srv/data.db"}}]}
	END
    touch "$root/srv/ready"
    start_program bare chroot "$root" /usr/bin/env LD_PRELOAD=libfluxshim.so FLUX_CONFIG=/srv/config.json \
        FLUX_LOG=info:/srv/log /srv/single
    wait_until_ready
    drains
    cat "$root/srv/log"
    # Those of the databases are opened with their libraries, and want to be told where.
    expect_equal "hooks" "$(checkpoint_value "$root/srv/state.json" '.hooks[] | [.name, .status, .error] | join(" ")' |
        sort)" "$(sort <<<$'exec ok \nfile ok \nnotify ok \npostgres not run init returned 22 (Invalid argument)
redis not run init returned 22 (Invalid argument)\nsqlite ok ')"
    [ -e "$root/srv/ran" ]
    is_gone "$root/srv/ready"

    mapfile -t names < <(printf '%s\n' "${debs[@]##*/}" | sed 's/_.*//')
    find "$root/srv" -type f ! -name single -delete
    dpkg --root="$root" --purge "${names[@]}" 3>&-
    expect_equal "left" "$(diff <(echo "$before") <(files_of "$root"))" ""
    expect_match "removed" "$(in_root "$root" LD_PRELOAD=libfluxshim.so /bin/true 2>&1)" 'cannot be preloaded'
}
