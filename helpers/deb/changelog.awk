# SPDX-License-Identifier: MIT
# Makes CHANGELOG.md Debian's changelog.
#
#   awk -v version=0.1.0 -v date="$(date -R)" -v maintainer='A <a@b.org>' -f changelog.awk CHANGELOG.md

# What isn't released yet is the version being built.
/^## \[/ {
    end_entry()
    match($0, /\[[^]]*\]/)
    name = substr($0, RSTART + 1, RLENGTH - 2)
    release = name == "Unreleased" ? version : name
    dated = $NF ~ /^[0-9]+-[0-9]+-[0-9]+$/ ? rfc_date($NF) : date
    printf "fluxshim (%s) unstable; urgency=medium\n\n", release
    open = 1
    next
}
/^### / && open {
    end_item()
    printf "  [ %s ]\n", substr($0, 5)
    next
}
/^- / && open {
    end_item()
    item = substr($0, 3)
    next
}
/^  / && item != "" { item = item " " substr($0, 3) }
END { end_entry() }

function end_item(    words, n, i, line) {
    if (item == "")
        return
    n = split(item, words, " ")
    line = "  *"
    for (i = 1; i <= n; i++) {
        if (length(line) + length(words[i]) > 77) {
            print line
            line = "   "
        }
        line = line " " words[i]
    }
    print line
    item = ""
}

function end_entry() {
    end_item()
    if (open)
        printf "\n -- %s  %s\n\n", maintainer, dated
    open = 0
}

function rfc_date(day,    command, line) {
    command = "date -R -u -d " day
    command | getline line
    close(command)
    return line
}
