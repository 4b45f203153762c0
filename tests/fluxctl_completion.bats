# SPDX-License-Identifier: MIT
# shellcheck shell=bats
# shellcheck disable=SC2154 # variables of lib/fluxshim.bash
# fluxctl completion: what the shells are told, and what they make of it.

load lib/fluxshim
load lib/fixtures

setup() {
    fluxshim_setup
    export FLUX_RUN_DIR=$work/run HOME=$work
    mkdir "$FLUX_RUN_DIR"
    PATH=$BUILD:$PATH
}

teardown() {
    fluxshim_teardown
}

# bash_completes WORD...: what bash offers for the last word, sorted, in one line. In a shell of its own, without
# bash-completion, as `complete` would call it.
bash_completes() {
    # shellcheck disable=SC2016 # the inner shell's
    bash --norc -c 'source <(fluxctl completion bash)
        complete -p fluxctl >/dev/null || exit
        COMP_WORDS=(fluxctl "$@") COMP_CWORD=$#
        _fluxctl
        printf "%s\n" "${COMPREPLY[@]}"' - "$@" 2>&1 | sort | tr '\n' ' '
}

expect_bash() { # EXPECTED WORD...
    expect_equal "fluxctl ${*:2}" "$(bash_completes "${@:2}")" "$1"
}

# The names of all commands that help shows.
command_names() {
    fluxctl --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

@test "bash: commands, and every option that help shows" {
    local name

    expect_bash "check checkpoint " che
    expect_bash "run " ru
    expect_equal "all" "$(bash_completes '')" "$({ command_names; printf '%s\n' help --help --version; } | sort | tr '\n' ' ')"
    for name in $(command_names); do
        expect_equal "options of $name" "$(bash_completes "$name" --)" \
            "$(fluxctl "$name" --help | grep -oE '^  .{4}--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort | tr '\n' ' ')"
    done
}

@test "bash: values of options, files, words and commands" {
    touch 'a file' afile
    mkdir folder
    expect_bash "off on " run --http ''
    expect_bash "on " run --http on
    expect_bash "off on " run --http = ''
    expect_bash "always auto never " list --color ''
    expect_bash "a file afile " run --checkpoint a
    expect_bash "./afile " check ./af
    expect_bash "bash fish zsh " completion ''
    expect_bash "status stop " help st
    expect_bash " " run --drain ''
    expect_match "programs" "$(bash_completes check sh)" '(^| )sh '
}

@test "bash: behind the program of run, its own files" {
    touch afile
    expect_bash "afile " run --drain 5s -- sh af
    expect_bash "afile " run --quiet sh af
    expect_bash " " run --http on sh --dr
    expect_bash "--drain --drain-timeout " run --http on --dr
    expect_bash "--drain --drain-timeout " run --http = on --dr
}

@test "bash: process ids of servers" {
    start_server shimmed epoll
    expect_bash "$server_pid " stop ''
    expect_bash " " stop "${server_pid}0"
}

@test "zsh: takes the script, as a file of its own and sourced" {
    command -v zsh >/dev/null || skip "no zsh"
    mkdir functions
    fluxctl completion zsh >functions/_fluxctl
    zsh -n functions/_fluxctl
    # shellcheck disable=SC2016 # the inner shell's
    expect_equal "registered" "$(zsh -f -c 'fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D
        print $_comps[fluxctl]; autoload +X _fluxctl && print loaded')" $'_fluxctl\nloaded'
    # shellcheck disable=SC2016 # the inner shell's
    expect_equal "sourced" "$(zsh -f -c 'autoload -U compinit; compinit -u -D; source functions/_fluxctl
        print $_comps[fluxctl]' 2>&1)" _fluxctl
}

# zsh_completes LINE...: each line as zsh completes it by one TAB at a terminal.
zsh_completes() {
    mkdir -p functions
    fluxctl completion zsh >functions/_fluxctl
    cat >zshrc <<'END'
fpath=($PWD/functions $fpath)
autoload -U compinit; compinit -u -D
tell() { zle complete-word; print -r -- "$BUFFER" >>completed; BUFFER=; }
zle -N tell
bindkey '^T' tell
touch zsh_is_ready
END
    # shellcheck disable=SC2016 # the inner shell's
    zsh -f -c 'zmodload zsh/zpty; zpty shell zsh -f -i; zpty -w shell "source ./zshrc"
        lines() { wc -l <completed }
        touch completed
        until [[ -e zsh_is_ready ]] { zpty -r -t shell >/dev/null; read -t 0.01 <>never }
        for line in "$@"; do
            before=$(lines)
            zpty -w -n shell "$line"$'"'\\x14'"'
            until (($(lines) > before)) { zpty -r -t shell >/dev/null; read -t 0.01 <>never }
        done
        zpty -d shell' - "$@"
    cat completed
}

@test "zsh: commands, options, values and process ids" {
    command -v zsh >/dev/null || skip "no zsh"
    touch afile
    start_server shimmed epoll
    expect_equal "completed" "$(zsh_completes 'fluxctl compl' 'fluxctl run --lame' 'fluxctl run --http=of' \
        'fluxctl completion f' 'fluxctl stop ' 'fluxctl run --checkpoint afi' 'fluxctl run sh --dra' 'fluxctl check ./af')" \
        "fluxctl completion 
fluxctl run --lame-duck=
fluxctl run --http=off 
fluxctl completion fish 
fluxctl stop $server_pid 
fluxctl run --checkpoint afile 
fluxctl run sh --dra
fluxctl check ./afile "
}

@test "fish: commands, options and values" {
    command -v fish >/dev/null || skip "no fish"
    fluxctl completion fish >fluxctl.fish
    fish --no-execute fluxctl.fish
    fish_completes() {
        fish --no-config -c "source fluxctl.fish; complete -C '$1'" | cut -f 1 | sort | tr '\n' ' '
    }
    expect_equal "commands" "$(fish_completes 'fluxctl che')" "check checkpoint "
    expect_equal "options" "$(fish_completes 'fluxctl run --dr')" "--drain --drain-timeout "
    expect_equal "values" "$(fish_completes 'fluxctl run --http o')" "off on "
    expect_equal "words" "$(fish_completes 'fluxctl completion ')" "bash fish zsh "
    start_server shimmed epoll
    expect_equal "process ids" "$(fish_completes 'fluxctl stop ')" "$server_pid "
}

@test "another shell is refused" {
    run fluxctl completion tcsh
    expect_equal "status" "$status" 2
    expect_match "stderr" "$output" "'tcsh': allowed are bash, zsh and fish"
}
