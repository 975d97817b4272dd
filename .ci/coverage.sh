#!/usr/bin/env bash
# `make coverage`: lines and branches that unit and wire tests reach together; a page a file in
# build/coverage/html, what was not reached in build/coverage/uncovered.txt. Fails below 90 % of the
# lines of src/ or of telemetry/, and when docs/coverage.md does not say why a file has lines left.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build test coverage
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")

unit() {
    FAULTS_STRIDE=1 ctest --test-dir build/coverage --parallel "$JOBS" --output-on-failure --timeout 180
}

# Two tests count descriptors down to where gcov's own files find none, which gcov tells on stderr.
wire() {
    GLASSBOX_BIN=$PWD/build/coverage/glassbox "$venv/bin/python" -m pytest tests/wire -q \
        -p no:cacheprovider --numprocesses "$JOBS" --dist loadfile \
        --deselect test_access_log.py::test_file_that_may_not_be_opened \
        --deselect test_descriptors.py::test_too_few_is_told
}

# gcovr takes neither what cmake tries out nor what the tests are made of.
report() {
    mkdir -p build/coverage/html
    gcovr --root . --object-directory build/coverage --filter 'src/' --filter 'telemetry/src/' \
        --gcov-exclude '.*CMakeCCompilerId.*' --html-details build/coverage/html/index.html \
        --json build/coverage/coverage.json 2>build/coverage/gcovr.log &&
        /usr/bin/python3 .ci/coverage.py build/coverage/coverage.json docs/coverage.md \
            build/coverage/uncovered.txt
}

step "coverage: build" compile coverage
find build/coverage -name '*.gcda' -delete
step "coverage: unit tests" unit
step "coverage: wire tests" wire
step "coverage: 90 % of lines, the rest explained" report
total
echo "build/coverage/html/index.html" >&2
