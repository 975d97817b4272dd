#!/usr/bin/env bash
# `make hostile`: thousands of clients that are slow, silent, rude or gone, in rounds. Ten thousand
# against the release binary; a thousand against the one with AddressSanitizer, whose memory tells
# nothing. HOSTILE_CROWD and HOSTILE_ROUNDS overrule; PYTEST_ARGS go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build unit
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

# siege NAME PRESET CROWD ROUNDS
siege() {
    local name=$1 preset=$2 crowd=${HOSTILE_CROWD:-$3}
    say "$name"
    if ! compile "$preset" glassbox; then
        tally "$name" 0 1 0 "the build failed"
        return 0
    fi
    GLASSBOX_BIN=$PWD/build/$preset/glassbox HOSTILE_CROWD=$crowd \
        HOSTILE_ROUNDS=${HOSTILE_ROUNDS:-$4} pytests "$name" "build/$preset/hostile.xml" \
        "$crowd clients" tests/hostile -rA "${pytest_args[@]}"
}

siege "hostile" release 10000 4
siege "hostile, asan+ubsan" dev 1000 2
total
