#!/usr/bin/env bash
# The library without the rest: a copy of telemetry/ in a folder of its own is configured, built, tested
# and installed; programs are built from what was installed, and run; what it exports is compared with
# telemetry/abi.txt. `--write-abi` writes that file instead, after a change that is meant.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build unit library
ROOT=$PWD
WORK=$(mktemp -d)
BUILD=$WORK/telemetry/build/release
PREFIX=$WORK/prefix
server=""
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$WORK"' EXIT

# quietly COMMAND...: its output only when it fails.
quietly() {
    local log
    log=$(mktemp -p "$WORK")
    "$@" >"$log" 2>&1 || { cat "$log" && return 1; }
}

build_alone() (
    tar -C "$ROOT" --exclude=telemetry/build -cf - telemetry | tar -C "$WORK" -xf - || return 1
    cd "$WORK/telemetry" || return 1
    quietly cmake --preset release "-DCMAKE_INSTALL_PREFIX=$WORK/elsewhere" &&
        quietly cmake --build --preset release --parallel "$JOBS"
)

tests_alone() (
    cd "$WORK/telemetry" || return 1
    quietly ctest --preset release --parallel "$JOBS" --timeout 180 --no-tests=error
)

# To where it was not configured for, and staged for a package: both have the same files.
install_alone() {
    quietly cmake --install "$BUILD" --prefix "$PREFIX" &&
        quietly env "DESTDIR=$WORK/stage" cmake --install "$BUILD" || return 1
    diff <(cd "$PREFIX" && find . -type f -o -type l | sort) \
        <(cd "$WORK/stage$WORK/elsewhere" && find . -type f -o -type l | sort) || return 1
    if grep -rIlF -e "$ROOT" -e "$WORK" "$PREFIX"; then
        echo "these name a folder of the build's"
        return 1
    fi
}

# Each header by itself, as C and as C++, without a warning.
headers_alone() {
    local header
    for header in "$PREFIX"/include/telemetry/*.h; do
        header=telemetry/${header##*/}
        gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$PREFIX/include" -xc - \
            <<<"#include <$header>"$'\n'"typedef int unit;" || return 1
        g++ -std=c++11 -Wall -Wextra -Werror -fsyntax-only -I"$PREFIX/include" -xc++ - \
            <<<"#include <$header>" || return 1
    done
}

find_pkgconfig() { dirname "$(find "$PREFIX" -name telemetry.pc)"; }

# is_linked PROGRAM STATIC: with the shared library, or, when STATIC is not empty, without.
is_linked() {
    local needed
    needed=$(readelf -d "$1" | grep -c 'NEEDED.*\[libtelemetry\.so' || true)
    [ "$needed" -eq "$([ -n "$2" ] && echo 0 || echo 1)" ]
}

# with_pkgconfig NAME FLAG...: a program built as pkg-config says.
with_pkgconfig() {
    local name=$1 flags
    shift
    read -ra flags < <(PKG_CONFIG_PATH=$(find_pkgconfig) pkg-config "$@" --cflags --libs telemetry libevent)
    cc -Wall -Wextra -o "$WORK/$name" ${STATIC:+-static} "$WORK/telemetry/examples/greeter.c" "${flags[@]}" 2>&1 |
        sed '/statically linked applications requires at runtime/d; /in function/d'
    [ -x "$WORK/$name" ] && is_linked "$WORK/$name" "${STATIC:-}"
}

with_cmake() {
    quietly cmake -S "$WORK/telemetry/tests/consumer" -B "$WORK/consumer" -G Ninja \
        "-DCMAKE_PREFIX_PATH=$PREFIX" "-DEXAMPLE=$WORK/telemetry/examples/greeter.c" &&
        quietly cmake --build "$WORK/consumer" --parallel "$JOBS" &&
        is_linked "$WORK/consumer/shared" "" && is_linked "$WORK/consumer/static" static
}

# runs PROGRAM: it answers, with a trace id that is in its log, and ends in order.
runs() {
    local port answer trace
    port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    LD_LIBRARY_PATH=$(dirname "$(find_pkgconfig)") OTEL_TRACES_EXPORTER=none "$1" "$port" >"$WORK/access.log" &
    server=$!
    for _ in {1..100}; do
        answer=$(curl --silent --include --max-time 5 "http://127.0.0.1:$port/hello") && break
        sleep 0.1
    done
    kill -TERM "$server"
    wait "$server" || return 1
    server=""
    trace=$(sed -n 's/^traceresponse: 00-\([0-9a-f]*\)-.*/\1/p' <<<"$answer")
    [[ $answer == *"hello, world!"* ]] && [ -n "$trace" ] && grep -q "$trace" "$WORK/access.log"
}

# Of ours nothing leaves but tel_*; tel__* stays in the static library, and nothing else is global.
symbols() {
    local shared static
    shared=$(nm -D --defined-only "$BUILD/libtelemetry.so" | awk '$2 != "A" { print $3 }' |
        grep -v '^tel_[a-z0-9][a-z0-9_]*@@TELEMETRY_0$' || true)
    static=$(nm -g --defined-only "$BUILD/libtelemetry.a" | awk 'NF == 3 { print $3 }' |
        grep -v '^tel_' || true)
    [ -z "$shared$static" ] || { echo "not ours to export:" "$shared" "$static" && return 1; }
}

list_abi() { /usr/bin/python3 telemetry/tests/abi.py "$BUILD/libtelemetry.so" "$WORK/telemetry/include"; }

# The list is the ABI, and has every symbol that the linker sees.
abi() {
    list_abi >"$WORK/abi.txt" || return 1
    diff <(nm -D --defined-only "$BUILD/libtelemetry.so" | sed -n 's/.* [A-Z] \(tel_[a-z0-9_]*\)@.*/\1/p' | sort) \
        <(sed -n 's/^\(function\|variable\) .*\b\(tel_[a-z0-9_]*\)[([].*/\2/p' "$WORK/abi.txt" | sort) || return 1
    diff -u telemetry/abi.txt "$WORK/abi.txt" || {
        echo "the ABI is not what telemetry/abi.txt lists; if that is meant: .ci/library.sh --write-abi"
        return 1
    }
}

if [ "${1:-}" = --write-abi ]; then
    build_alone
    list_abi >telemetry/abi.txt
    exit
fi
step "library: builds alone" build_alone
if [ "$FAILED" -eq 0 ]; then
    step "library: its tests" tests_alone
    step "library: installs" install_alone
    step "library: headers, C and C++" headers_alone
    step "library: pkg-config, shared" with_pkgconfig by-pkgconfig
    step "library: the same runs" runs "$WORK/by-pkgconfig"
    STATIC=yes step "library: pkg-config, static" with_pkgconfig static-by-pkgconfig --static
    step "library: the same runs" runs "$WORK/static-by-pkgconfig"
    step "library: find_package" with_cmake
    step "library: shared runs" runs "$WORK/consumer/shared"
    step "library: static runs" runs "$WORK/consumer/static"
    step "library: symbols" symbols
    if [ "$(uname -m)" = x86_64 ]; then
        step "library: ABI" abi
    else
        skipped "library: ABI" "telemetry/abi.txt is that of x86_64"
    fi
fi
total
