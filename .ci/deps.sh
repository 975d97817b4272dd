#!/usr/bin/env bash
# Installs the Debian packages of some groups: `.ci/deps.sh build test`. What is there is left
# alone: then nothing is asked of the network, nor of root. `--list` only prints the names.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# A group a line. `build` is what the program itself needs, and the image's builder uses it too.
packages() {
    case $1 in
    build) echo gcc libc6-dev cmake ninja-build pkg-config ca-certificates git \
        libevent-dev libssl-dev zlib1g-dev libjansson-dev node-llhttp ;;
    unit) echo libcmocka-dev ;;
    test) echo "$(packages unit)" "clang-$CLANG_VERSION" "libclang-rt-$CLANG_VERSION-dev" \
        "llvm-$CLANG_VERSION" python3 python3-venv prometheus lnav goaccess openssl curl ;;
    check) echo "clang-format-$CLANG_VERSION" "clang-tidy-$CLANG_VERSION" cppcheck shellcheck \
        python3 python3-venv ;;
    faults) echo python3 python3-venv ;;
    valgrind) echo valgrind libc6-dbg python3 python3-venv ;;
    interop) echo python3 python3-venv openssl nghttp2-client ;;
    readers) echo python3 python3-venv prometheus ;;
    soak) echo python3 python3-venv wrk ;;
    bench) echo python3 nginx-light wrk nghttp2-client openssl ;;
    coverage) echo gcovr ;;
    docs) echo doxygen python3 ;;
    library) echo g++ binutils curl python3 abigail-tools ;;
    browser) echo chromium chromium-driver fonts-noto-core fonts-noto-mono python3 python3-venv ;;
    slides) echo "$(packages browser)" poppler-utils ;;
    stack) echo prometheus prometheus-alertmanager python3 python3-venv curl jq lnav procps ;;
    node) echo nodejs npm ;;
    chart) echo "$(packages stack)" busybox-static ;;
    cluster) echo containerd runc containernetworking-plugins nftables openssl iproute2 util-linux \
        python3 busybox-static curl ca-certificates gcc libc6-dev ;;
    argocd) echo "$(packages cluster)" redis-server git python3-venv ;;
    image) echo buildah mmdebstrap podman runc curl ;;
    publish) echo skopeo buildah jq curl ca-certificates git python3 python3-venv ;;
    release) echo "$(packages publish)" docker-registry ;;
    *) echo "no such group: $1" >&2 && return 1 ;;
    esac
}

# Prints the packages that are not installed, nor provided by one that is: Docker's own containerd.io is containerd and
# runc, and would have to go for Debian's.
missing() {
    local installed
    installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}, ${Provides}\n' 2>/dev/null |
        sed -n 's/^ii *//p' | sed 's/ ([^)]*)//g; s/, */\n/g' | sort -u) || true
    printf '%s\n' "$@" | sort -u | grep -vxF "${installed:-:}" || true
}

# Some of the tests' tools are services that Debian starts at once on ports of their own; a policy
# for the time of the installation keeps them still.
install_quietly() {
    local policy=/usr/sbin/policy-rc.d log ours=""
    log=$(mktemp)
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
        ours=yes
    fi
    local failed=""
    { as_root apt-get -qq -o DPkg::Lock::Timeout=300 update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 \
            --no-install-recommends --no-remove install "$@"; } >"$log" 2>&1 </dev/null || failed=yes
    [ -z "$ours" ] || as_root rm -f "$policy"
    [ -z "$failed" ] || cat "$log" >&2
    rm -f "$log"
    [ -z "$failed" ]
}

list=""
[ "${1:-}" != --list ] || { list=yes && shift; }
names=()
for group in "$@"; do
    read -ra more <<<"$(packages "$group")"
    names+=("${more[@]}")
done
if [ -n "$list" ]; then
    printf '%s\n' "${names[@]}" | sort -u
    exit
fi
if ! have dpkg-query; then
    echo "not a Debian: these packages, or their like, must be there: ${names[*]}" >&2
    exit 0
fi
mapfile -t wanted < <(missing "${names[@]}")
if [ "${#wanted[@]}" -gt 0 ]; then
    say "installing ${wanted[*]}"
    install_quietly "${wanted[@]}"
fi
