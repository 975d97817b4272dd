#!/usr/bin/env bash
# Builds the static program, which the image is made of, and shows that it needs nothing of the host:
# in an empty root it exports telemetry by name and over TLS. Leaves build/static/glassbox.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

build_static() {
    local log=build/static.log
    mkdir -p build
    if cmake --preset release -B build/static -DGLASSBOX_STATIC=ON \
        -DGLASSBOX_TESTSERVER=OFF >"$log" 2>&1 &&
        cmake --build build/static --parallel "$JOBS" --target glassbox >>"$log" 2>&1; then
        return 0
    fi
    cat "$log"
    return 1
}

.ci/deps.sh build test
step "static: build" build_static
if [ "$FAILED" -eq 0 ]; then
    venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
    GLASSBOX_STATIC_BIN=$PWD/build/static/glassbox pytests "static: alone" build/static/wire.xml "" \
        tests/wire/test_export_static.py
fi
total
