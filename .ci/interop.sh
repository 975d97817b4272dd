#!/usr/bin/env bash
# What other people's programs make of what we send: a real OpenTelemetry Collector and Prometheus 3,
# built by tools.sh, against build/release/glassbox. PYTEST_ARGS may be set.
#
# The tables (what was sent, acknowledged and written; quantiles) are printed, and left in build/check.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/lib.sh

# suite NAME TEST TOOL...: runs one file of tests/interop with these tools, or says why not.
suite() {
    local name=$1 test=$2 tool
    shift 2
    for tool in "$@"; do
        usable "$name" "${path[$tool]}" || return 0
        export "${tool^^}_BIN=${path[$tool]}"
    done
    say "$name"
    GLASSBOX_BIN=$PWD/build/release/glassbox pytests "$name" "build/check/interop-$test.xml" "" \
        "tests/interop/$test" "${pytest_args[@]}"
}

started=$SECONDS
.ci/deps.sh build interop
compile release glassbox
venv=$(.ci/venv.sh "$TEST_REQUIREMENTS")
read -ra pytest_args <<<"${PYTEST_ARGS:-}"
mkdir -p build/check

tools=(otelcol prometheus promtool)
declare -A path
mapfile -t lines < <(.ci/tools.sh "${tools[@]}")
for i in "${!tools[@]}"; do
    path[${tools[i]}]=${lines[i]:-"tools.sh said nothing"}
done
say "tools after $((SECONDS - started)) s"

suite "Collector, delivery" test_delivery.py otelcol
suite "Collector, records" test_records.py otelcol
suite "Prometheus 3" test_prometheus3.py prometheus promtool
printf '\ninterop: %d s\n' $((SECONDS - started))
total
