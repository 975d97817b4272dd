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
    local name=$1 test=$2 report=build/check/interop-$2.xml tool
    shift 2
    for tool in "$@"; do
        case ${path[$tool]} in
        /*) ;;
        "cannot be had: "*) skipped "$name" "${path[$tool]}" && return ;;
        *)
            echo "FAILED: $name: ${path[$tool]}" >&2
            tally "$name" 0 1 0 "${path[$tool]}"
            return
            ;;
        esac
        export "${tool^^}_BIN=${path[$tool]}"
    done
    say "$name"
    rm -f "$report"
    GLASSBOX_BIN=$PWD/build/release/glassbox "$venv/bin/python" -m pytest "tests/interop/$test" -q \
        -p no:cacheprovider --junit-xml="$report" "${pytest_args[@]}" >&2 || true
    # shellcheck disable=SC2046 # three numbers
    tally "$name" $("$venv/bin/python" .ci/junit.py "$report")
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
