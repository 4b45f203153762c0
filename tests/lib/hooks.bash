# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034,SC2154 # variables of lib/fluxshim, and results for the tests
# The built-in hooks: in a server under the shim, or called by hook_call.

HOOKS=$BUILD/fluxshim/hooks
WHEN_GONE=2000 # ms that an exit may take that waits for nothing

# configure_hooks ENTRY...: FLUX_CONFIG with these hooks, JSON objects, and a checkpoint.
configure_hooks() {
    local IFS=,

    printf '{"checkpoint": "%s", "hooks": [%s]}\n' "$work/state.json" "$*" >"$work/config.json"
    export FLUX_CONFIG=$work/config.json
}

# Rows of the checkpoint: name, status, result.
hook_rows() {
    checkpoint_value "$work/state.json" '.hooks[] | [.name, .status, .result] | join(" ")'
}

# call_hook NAME CONFIG STEP...: leaves hook_output (all lines) and hook_status.
call_hook() {
    local name=$1

    shift
    hook_status=0
    hook_output=$("${hook_wrapper[@]}" "${hook_tools:-$TOOLS}/hook_call" "${hook_folder:-$HOOKS}/$name.so" \
        "$@" 2>&1 3>&-) || hook_status=$?
}

# The system's own python3 and not a script that stands before it and chooses one.
find_python() {
    python=$(python3 -c 'import sys; print(sys.executable)')
}

# exists PATH, is_gone PATH: for wait_for.
exists() {
    [ -e "$1" ]
}

is_gone() {
    [ ! -e "$1" ] && [ ! -L "$1" ]
}
