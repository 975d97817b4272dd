#!/bin/sh
# What a static program is made of that is not ours: Debian packages, found by what was compiled and
# linked, not by what was installed. Leaves each one's entry of dpkg's database in FOLDER as distroless
# images have it (var/lib/dpkg/status.d/PACKAGE), with the os-release beside it, where scanners and
# makers of SBOMs look: from the binary alone nobody can tell which OpenSSL is in it.
#
#     .ci/linked.sh BUILD MAP FOLDER [FILE...]
#
# BUILD is a folder that ninja built in, MAP what the linker wrote with -Wl,-Map; FILEs are shipped as
# they are.
set -eu

build=$1 map=$2 folder=$3
shift 3

# What went in, a path a line: members of archives that answered for a symbol, start files, sources of
# others that we compile.
ingredients() {
    sed -n 's/^\(\/[^ ()]*\.a\)(.*/\1/p' "$map"
    sed -n 's/^LOAD \(\/usr\/.*\.o\)$/\1/p' "$map"
    { grep -o '/usr/[^ ]*\.c\b' "$build/build.ninja" || true; } | sed '/^\/usr\/share\/cmake/d' # its own trials
    [ $# -eq 0 ] || printf '%s\n' "$@"
}

# Prints the package that a file is of; one that nobody owns has no entry, and would be left out
# silently. What a package generated when it was installed (ca-certificates.crt) has its own name.
owner() {
    case $1 in
    /etc/ssl/certs/ca-certificates.crt) echo ca-certificates ;;
    *) dpkg-query -S "$1" 2>/dev/null | sed -n '1s/:.*//p' | grep . ||
        { echo "no package owns $1" >&2 && return 1; } ;;
    esac
}

entries=$folder/var/lib/dpkg/status.d
mkdir -p "$entries" "$folder/etc"
cp -L /etc/os-release "$folder/etc/os-release"
paths=$(ingredients "$@" | sort -u)
[ -n "$paths" ] || { echo "nothing was linked, says $map" >&2 && exit 1; }
for path in $paths; do
    path=$(realpath -e "$path")
    package=$(owner "$path")
    [ -e "$entries/$package" ] || dpkg-query -s "$package" >"$entries/$package"
done
ls "$entries"
