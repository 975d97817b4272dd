#!/usr/bin/env bash
# loadtest/: settings, signals, verdicts, the predictor; then real runs on a local stack, whose counts must agree with the
# service's three signals to the last request (tests/loadtest). PYTEST_ARGS may be set, and GLASSBOX_BIN, where a service
# is built; SCHEMAS_DIR: k6-operator's, for the manifests.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

serving "load tests" || { total; exit; }
mapfile -t tools < <(.ci/tools.sh k6 otelcol kubeconform)
! usable "load tests: k6" "${tools[0]:-tools.sh said nothing}" || export K6_BIN=${tools[0]}
export OTELCOL_BIN=${tools[1]:-}
! usable "load tests: kubeconform" "${tools[2]:-tools.sh said nothing}" || export KUBECONFORM_BIN=${tools[2]}
read -ra pytest_args <<<"${PYTEST_ARGS:-}"

say "load tests"
pytests "load tests" build/check/loadtest.xml "" tests/loadtest -n 2 --dist loadfile "${pytest_args[@]}"
total
