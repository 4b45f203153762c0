# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What every script starts with: strict mode, the tree's root as working folder, colours, messages.

set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# As in the Makefile, which sees it too if the caller exports it.
BUILD=${BUILD:-build}
cd "$root"

# Colour only for a person: a terminal, and NO_COLOR neither set nor a terminal that can't.
colours() {
    bold='' red='' green='' dim='' plain=''
    if [[ -t 1 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
        bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
    fi
    export bold red green dim plain
}
colours

say() { printf '%s\n' "$*"; }
complain() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { complain "$@"; exit 1; }

# A folder that is gone when the script ends: scratch=$(scratch_folder); trap 'rm -rf "$scratch"' EXIT
scratch_folder() { mktemp -d "${TMPDIR:-/tmp}/fluxshim.XXXXXX"; }
