#!/usr/bin/env bash
# `make coverage`: lines and branches that the unit tests reach; a page a file in build/coverage.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build test coverage
compile coverage
find build/coverage -name '*.gcda' -delete
ctest --test-dir build/coverage --parallel "$JOBS" --output-on-failure
mkdir -p build/coverage/html
gcovr --root . --object-directory build/coverage --exclude 'tests/' --exclude 'telemetry/tests/' \
    --exclude '/usr/' --html-details build/coverage/html/index.html --txt
echo "build/coverage/html/index.html"
