#!/usr/bin/env bash
# OTLP and the expositions, read by decoders that are not ours and compared field by field: `make
# readers`. The Go one is built by tools.sh; PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build readers
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"

# Whether what the tests need could be built.
build() {
    compile release glassbox && cmake -S tests/readers -B build/readers -G Ninja >/dev/null &&
        cmake --build build/readers --parallel "$JOBS" --target awkward >/dev/null
}

reader=$(.ci/tools.sh reader) || true
if usable "readers" "$reader"; then
    say "readers"
    if build; then
        READER_BIN=$reader AWKWARD_BIN=$PWD/build/readers/awkward GLASSBOX_BIN=$PWD/build/release/glassbox \
            pytests "readers" build/readers/readers.xml "" tests/readers "${pytest_args[@]}"
    else
        tally "readers" 0 1 0 "the build failed"
    fi
fi
total
