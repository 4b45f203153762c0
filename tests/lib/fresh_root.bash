# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # variables of lib/fluxshim
# A root folder with a few packages of this machine, as dpkg and chroot want it.

# make_root FOLDER PACKAGE...: these and all that they depend on, their files as they are here.
make_root() {
    local folder=$1 package packages name

    shift
    mapfile -t packages < <(with_dependencies "$@")
    mkdir -p "$folder"/{dev,etc,tmp,var/log,var/lib/dpkg/info,var/lib/dpkg/triggers,var/lib/dpkg/updates}
    for name in bin sbin lib lib64; do # /bin may be a link to usr/bin
        [ ! -L "/$name" ] || { mkdir -p "$folder/usr/$name"; ln -s "usr/$name" "$folder/$name"; }
    done
    # Without documents, as in small images; ignore-failed-read: some of the others may lack here, too.
    dpkg-query --listfiles "${packages[@]}" | sed -nE '\:^/usr/share/(doc|man|info|locale)(/|$):d; s|^/(.)|\1|p' |
        grep -vxE 's?bin|lib(64)?' | sort -u >"$work/files"
    tar -C / --no-recursion --ignore-failed-read -cf - -T "$work/files" 2>/dev/null | tar -C "$folder" -xf -
    dpkg-query --status "${packages[@]}" >"$folder/var/lib/dpkg/status"
    for package in "${packages[@]}"; do
        cp "/var/lib/dpkg/info/$package".* "/var/lib/dpkg/info/$package:"*.* "$folder/var/lib/dpkg/info/" 2>/dev/null || :
    done
    cp /var/lib/dpkg/triggers/ldconfig "$folder/var/lib/dpkg/triggers/"
    cp /var/lib/dpkg/info/format "$folder/var/lib/dpkg/info/"
    mknod -m 666 "$folder/dev/null" c 1 3
    chroot "$folder" /sbin/ldconfig
}

# Only of what is installed: nothing is fetched.
with_dependencies() {
    apt-cache --installed --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances depends "$@" | sed -n 's/^\([a-z0-9][^ ]*\)$/\1/p' | sort -u
}

# in_root FOLDER COMMAND...
in_root() {
    chroot "$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "${@:2}"
}

# What is there, but for the notes that dpkg and ldconfig keep.
files_of() {
    (cd "$1" && find . \( -path ./var/lib/dpkg -o -path ./var/log -o -path ./var/cache/ldconfig \
        -o -path ./etc/ld.so.cache \) -prune -o -print | sort)
}
