#!/usr/bin/env bash
# The local stack: comes up, each part does its job, and it leaves nothing behind, whichever way it ends
# (tests/stack). PYTEST_ARGS may be set.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

.ci/deps.sh build stack
report=build/check/stack.xml
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
rm -f "$report"

say "local stack"
"$venv/bin/python" -m pytest tests/stack -q -n 3 --dist loadfile -p no:cacheprovider --junit-xml="$report" \
    "${pytest_args[@]}" >&2 || true
# shellcheck disable=SC2046 # three numbers
tally "local stack" $("$venv/bin/python" .ci/junit.py "$report")
total
