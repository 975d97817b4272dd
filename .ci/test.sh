#!/usr/bin/env bash
# Everything about the service and its library that Debian and PyPI packages can show: `make test`.
#
#   unit         cmocka programs, built with AddressSanitizer and UndefinedBehaviorSanitizer
#   unit, tsan   the same programs with ThreadSanitizer
#   fuzz         each fuzz target for a few seconds
#   wire         pytest against the release binary
#   wire, asan   pytest against the binary with the sanitizers
#
# FUZZ_SECONDS, and PYTEST_ARGS for the wire tests, may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

started=$SECONDS
.ci/deps.sh build test
export FUZZ_DEPS_DONE=1
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}

# unit NAME PRESET [WRAPPER...]: builds, runs ctest, and counts the cases within its programs.
unit() {
    local name=$1 preset=$2 log
    shift 2
    say "$name"
    if ! compile "$preset"; then
        tally "$name" 0 1 0 "the build failed"
        return 0
    fi
    log=build/$preset/Testing/Temporary/LastTest.log
    "$@" ctest --test-dir "build/$preset" --output-on-failure --parallel "$JOBS" --timeout 180 \
        --no-tests=error >&2 || true
    local passed failed skips broken
    passed=$(grep -c '^\[       OK \]' "$log" || true)
    skips=$(grep -c '^\[  SKIPPED \]' "$log" || true)
    failed=$(grep -c '^\[  FAILED  \] [a-z]' "$log" || true)
    # A program that crashed reports no case: the count of programs must not hide it.
    broken=$(grep -c '^Test Failed\.\|^Test time = .*Timeout' "$log" || true)
    [ "$failed" -ge "$broken" ] || failed=$broken
    [ $((passed + failed)) -gt 0 ] || failed=1
    tally "$name" "$passed" "$failed" "$skips" "$(grep -c '^Test time =' "$log") programs"
}

# GCC 12's ThreadSanitizer wants less randomness of addresses than newer kernels give.
fixed_addresses=()
! setarch "$(uname -m)" -R true 2>/dev/null || fixed_addresses=(setarch "$(uname -m)" -R)

fuzz() {
    say "fuzz targets"
    local result
    result=$(.ci/fuzz.sh "${FUZZ_SECONDS:-3}") || true
    read -r passed failed _ < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' \
        <<<"$result") || { passed=0 failed=1; }
    tally "fuzz targets" "$passed" "$failed" 0 "${FUZZ_SECONDS:-3} s each"
}

# wire NAME PRESET [PYTEST ARGUMENT...]: twice as many processes as CPUs, as the tests mostly wait.
wire() {
    local name=$1 preset=$2
    shift 2
    say "$name"
    if ! compile "$preset" glassbox greeter glassbox-testserver; then
        tally "$name" 0 1 0 "the build failed"
        return 0
    fi
    GLASSBOX_BIN=$PWD/build/$preset/glassbox pytests "$name" "build/$preset/wire.xml" "" tests/wire \
        --numprocesses $((2 * JOBS)) --dist loadfile "$@"
}

venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
unit "unit, asan+ubsan" dev
unit "unit, tsan" tsan "${fixed_addresses[@]}"
fuzz
wire "wire" release "${pytest_args[@]}"
wire "wire, asan+ubsan" dev "${pytest_args[@]}"
printf '\nmake test: %d s\n' $((SECONDS - started))
total
