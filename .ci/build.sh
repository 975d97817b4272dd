#!/usr/bin/env bash
# Builds build/release/glassbox, and beside it glassbox-testserver (tests/testserver), which public
# test suites can be run against.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build
compile release glassbox glassbox-testserver
