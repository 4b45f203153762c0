# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of lib/fluxshim
# Configurations of hooks, and what became of them.

# Leaves $hooks, the folder of tests/hooks, and the files that those write to.
hooks_setup() {
    hooks=$BUILD/tests/hooks
    export HOOK_NOTES=$work/notes FLUX_CHECKPOINT=$work/state.json
}

# entry NAME CONFIG: an element of the array.
entry() {
    printf '{"path": "%s/%s.so", "config": "%s"}' "$hooks" "$1" "$2"
}

# settings_file ENTRY...: on stdout, the name of a new file for FLUX_CONFIG with those hooks.
settings_file() {
    local file entries

    file=$(mktemp "$work/config.XXXXXX")
    entries=$(printf '%s,' "$@")
    printf '{"hook_timeout": "300ms", "hooks": [%s]}\n' "${entries%,}" >"$file"
    echo "$file"
}

# config_of NAME CONFIG...: the same, in pairs.
config_of() {
    local entries=()

    while [ $# -gt 0 ]; do
        entries+=("$(entry "$1" "$2")")
        shift 2
    done
    settings_file "${entries[@]}"
}

# between_good_ones NAME CONFIG: that one, between two that note their calls.
between_good_ones() {
    config_of tells first "$1" "$2" tells last
}

# rows JQ_FILTER: of each row of the checkpoint, on lines.
rows() {
    checkpoint_value "$FLUX_CHECKPOINT" ".hooks[] | $1"
}
