#!/usr/bin/env bash
# The local stack: comes up, each part does its job, and it leaves nothing behind, whichever way it ends
# (tests/stack). PYTEST_ARGS may be set, and GLASSBOX_BIN, where a service is built.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

serving "local stack" || { total; exit; }
# The newer two are for what compose.yaml has them told.
mapfile -t tools < <(.ci/tools.sh otelcol prometheus alertmanager)
export OTELCOL_BIN=${tools[0]:-} PROMETHEUS_BIN=${tools[1]:-} ALERTMANAGER_BIN=${tools[2]:-}
read -ra pytest_args <<<"${PYTEST_ARGS:-}"

say "local stack"
pytests "local stack" build/check/stack.xml "" tests/stack -n 3 --dist loadfile "${pytest_args[@]}"
total
