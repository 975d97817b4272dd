#!/usr/bin/env bash
# What the cluster's tests count with, where there is no cluster: k6's log read, the ledger of both ends, an autoscaler's
# status, logs that break off; and the load itself, with the real k6 against the real program on the loopback
# (tests/e2e/unit, tests/e2e/test_helpers.py). PYTEST_ARGS may be set, and GLASSBOX_BIN, where a service is
# built.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

serving "counting" || { total; exit; }
k6=$(.ci/tools.sh k6) || true
# Without it three tests say what they leave unproved.
[ "${k6#/}" = "$k6" ] || export K6_BIN=$k6
read -ra pytest_args <<<"${PYTEST_ARGS:-}"

say "counting"
pytests "counting" build/check/counting.xml "" tests/e2e/unit tests/e2e/test_helpers.py "${pytest_args[@]}"
total
