#!/usr/bin/env bash
# The local stack: comes up, each part does its job, and it leaves nothing behind, whichever way it ends
# (tests/stack). PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build stack
mkdir -p build/check
if ! compile release glassbox; then
    tally "local stack" 0 1 0 "the build failed"
    total
    exit
fi
venv=$(.ci/venv.sh "$ALERTS_REQUIREMENTS")
# The newer two are for what compose.yaml has them told.
mapfile -t tools < <(.ci/tools.sh otelcol prometheus alertmanager)
export OTELCOL_BIN=${tools[0]:-} PROMETHEUS_BIN=${tools[1]:-} ALERTMANAGER_BIN=${tools[2]:-}
export GLASSBOX_BIN=$PWD/build/release/glassbox
read -ra pytest_args <<<"${PYTEST_ARGS:-}"

say "local stack"
pytests "local stack" build/check/stack.xml "" tests/stack -n 3 --dist loadfile "${pytest_args[@]}"
total
